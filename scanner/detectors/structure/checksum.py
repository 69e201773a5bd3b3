"""Checksums that providers build into their tokens, verified offline.

GitHub: <https://github.blog/engineering/behind-githubs-new-authentication-token-formats/>.
GitLab: <https://docs.gitlab.com/security/tokens/#token-prefixes> (routable tokens).
"""

from __future__ import annotations

import zlib

BASE62 = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE36 = b"0123456789abcdefghijklmnopqrstuvwxyz"


def encode(number: int, alphabet: bytes, width: int) -> bytes:
    """``number`` in the base of ``alphabet``, padded on the left with its zero to ``width``."""
    digits = bytearray()
    while number:
        number, digit = divmod(number, len(alphabet))
        digits.append(alphabet[digit])
    digits.reverse()
    return bytes(digits).rjust(width, alphabet[:1])


def crc32_base62(body: bytes) -> bytes:
    """The six characters that end a token of the GitHub scheme, over the body before them."""
    return encode(zlib.crc32(body), BASE62, 6)


def crc32_base36(text: bytes) -> bytes:
    """The seven characters that end a routable GitLab token, over everything before them."""
    return encode(zlib.crc32(text), _BASE36, 7)


def length_base36(payload: bytes) -> bytes:
    """The two characters in front of a routable token's checksum: how long the payload is."""
    return encode(len(payload), _BASE36, 2)


def crc32_apify(text: bytes) -> bytes:
    """The six characters that end an Apify token: digits, lower case, upper case."""
    return encode(zlib.crc32(text), _BASE36 + BASE62[10:36], 6)

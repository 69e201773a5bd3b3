"""Long runs of token characters in bytes, found and described at the speed of C."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

SHORTEST = 16
"""Bytes; below this words and random strings overlap too much."""

LONGEST = 512
"""Bytes; a longer run is data (an image, a bundle), not a credential."""

_LOWER = bytes(range(ord("a"), ord("z") + 1))
_UPPER = _LOWER.upper()
_DIGIT = b"0123456789"
_MARKS = b"+/_-"
ALPHABET = _LOWER + _UPPER + _DIGIT + _MARKS
"""What a token is made of; the model's symbols."""


def _table(*classes: tuple[bytes, bytes], other: bytes) -> bytes:
    table = bytearray(other * 256)
    for members, name in classes:
        for byte in members:
            table[byte] = name[0]
    return bytes(table)


# One letter for every byte of the alphabet: then a literal prefix of sixteen finds long runs, which
# `re` looks for several times faster than for a class with a repetition.
_MASK = _table((ALPHABET, b"a"), other=b" ")
_RUN = re.compile(b"a" * SHORTEST + b"a*")
_CLASS = _table((_LOWER, b"a"), (_UPPER, b"A"), (_DIGIT, b"0"), other=b"-")
_SWITCHES = (b"a0", b"0a", b"A0", b"0A", b"aA")
_MIXED = 0.2


class Alphabet(NamedTuple):
    """What a token is written in, and the bits that a random character of it costs."""

    name: str
    members: bytes
    bits: float


_ALPHABETS = (
    Alphabet("hex", _DIGIT + b"abcdef", 4.0),
    Alphabet("hex", _DIGIT + b"ABCDEF", 4.0),
    Alphabet("base32", b"234567" + _UPPER, 5.0),
    Alphabet("base36", _DIGIT + _LOWER, 5.17),
    Alphabet("base36", _DIGIT + _UPPER, 5.17),
    Alphabet("base62", _DIGIT + _UPPER + _LOWER, 5.95),
    Alphabet("base64", _DIGIT + _UPPER + _LOWER + b"+/", 6.0),
    Alphabet("base64url", _DIGIT + _UPPER + _LOWER + b"_-", 6.0),
)
_ANY = Alphabet("mixed", ALPHABET, 6.04)

# Two forms that no place teaches: identifiers and numbers, and digests (some services issue keys
# that look like one, so these count for little instead of nothing).
_NAMED = re.compile(rb"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|0x[0-9a-f]+")
_DIGEST = 32  # hexadecimal digits: MD5, the shortest in use


def tokens(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of every run of 16 to 512 token characters that has a letter, in order."""
    for run in _RUN.finditer(data.translate(_MASK)):
        start, end = run.span()
        if end - start <= LONGEST:
            value = data[start:end]
            if value.strip(b"0123456789+-_/"):
                yield start, value


def distinct(data: bytes) -> dict[bytes, int]:
    """Every token of the data once, with its first offset, in order."""
    first: dict[bytes, int] = {}
    for start, value in tokens(data):
        first.setdefault(value, start)
    return first


def alphabet(token: bytes) -> Alphabet:
    """The narrowest alphabet that holds the token."""
    for each in _ALPHABETS:
        if not token.translate(None, each.members):
            return each
    return _ANY


def is_mixed(token: bytes) -> bool:
    """Whether letters, capitals and digits change places as often as a machine would have it.

    Needs no model, so the answer for a token is the same in every scan. In random hexadecimal and
    base62 nearly half of the neighbours differ in class, in an identifier with a number in it less
    than 15 %. A capital before a small letter is how names are written and does not count.
    """
    classes = token.translate(_CLASS)
    return sum(map(classes.count, _SWITCHES)) >= _MIXED * (len(token) - 1)


def is_suspicious(token: bytes) -> bool:
    """Whether it looks machine-made, and its form does not say that it is no secret."""
    return is_mixed(token) and not is_named(token)


def is_named(token: bytes) -> bool:
    """Whether the form says what it is: a UUID or a hexadecimal number."""
    return _NAMED.fullmatch(token) is not None


def is_digest(token: bytes) -> bool:
    """Whether it has the form of a hash: hexadecimal, as long as one at least."""
    return len(token) >= _DIGEST and alphabet(token).name == "hex"

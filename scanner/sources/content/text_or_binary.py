"""Up to where content is looked at as one piece, and what makes it binary."""

from __future__ import annotations

import codecs
import re

WINDOW = 1 << 20
"""Bytes that a window owns; content up to this size is one fragment."""

HEAD = 8000
"""How far into the content a NUL byte makes it binary; the same bound as git's."""

# The longer marks come first: the UTF-32 mark begins with the UTF-16 one.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 512
_LEAST = 8
_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n"
#: PKCS#5 in an object identifier: what follows is sealed.
_SEALED = rb"\x30[\x0b-\x7f]\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"
_LENGTH = rb"(?:[\x80\x20-\x7f]|\x81.|\x82..|\x83...)"
_KEY_STORE = re.compile(
    rb"(?:\xfe\xed\xfe\xed|\xce\xce\xce\xce)\x00\x00\x00[\x01\x02]"  # JKS, JCEKS
    rb"|\x30" + _LENGTH + rb"(?:\x02\x01\x03\x30"  # PKCS#12
    rb"|\x02\x01\x00(?:\x30[\x05-\x20]\x06|\x02[\x40-\x42\x81\x82])"  # PKCS#8, PKCS#1
    rb"|\x02\x01\x01\x04[\x1c-\x42]"  # SEC 1
    rb"|(?:\x30" + _LENGTH + rb")?" + _SEALED + rb")",  # BCFKS, sealed PKCS#8
    re.DOTALL,
)
_KEYS_BEGIN = (b"\x30", b"\xfe", b"\xce")


def is_binary(head: bytes) -> bool:
    """Whether there is a NUL near the beginning; wide encodings have that too."""
    return head.find(b"\0", 0, HEAD) >= 0


def is_opaque(head: bytes) -> bool:
    """Whether it is binary and nothing in it is looked at: all but key stores."""
    if not is_binary(head):
        return False
    if head[:1] not in _KEYS_BEGIN:
        return True
    return not holds_keys(head)


def encoding_of(head: bytes) -> str | None:
    """The wide encoding that this content begins with, by its mark or its NULs, else None."""
    # In UTF-16 every ASCII character brings a NUL. A mark before plain text would only hide it.
    if not is_binary(head):
        return None
    return next((name for mark, name in _MARKS if head.startswith(mark)), _unmarked(head))


def _unmarked(head: bytes) -> str | None:
    """UTF-16 of mostly ASCII: nearly every second byte is NUL, nearly all others are printable."""
    first, second = head[:_SAMPLE:2], head[1:_SAMPLE:2]
    for letters, zeros, name in ((first, second, "utf-16-le"), (second, first, "utf-16-be")):
        enough = len(zeros) >= _LEAST and zeros.count(0) * 10 >= len(zeros) * 9
        if enough and len(letters.translate(None, _PRINTABLE)) * 10 <= len(letters):
            return name
    return None


def holds_keys(head: bytes) -> bool:
    """Whether a file that begins like this is a key store or a private key; rules look closer."""
    return _KEY_STORE.match(head) is not None

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
#: Where a tape archive says what it is; the others begin with it.
TAR_MAGIC = slice(257, 262)
GZIP = b"\x1f\x8b"
BZIP2 = b"BZh"
XZ = b"\xfd7zXZ\0"
ZSTD = b"\x28\xb5\x2f\xfd"
#: Frames of zstd that hold no content; a stream may begin with one.
SKIPPABLE = tuple(bytes((first,)) + b"\x2a\x4d\x18" for first in range(0x50, 0x60))
_PACKED = (b"PK\x03\x04", GZIP, BZIP2, XZ, ZSTD, *SKIPPABLE)
#: Documents that ``content.document`` reads: PDF, SQLite and its log, Java, Android.
_DOCUMENTS = (
    b"%PDF-", b"SQLite format 3\0", b"7\x7f\x06\x82", b"7\x7f\x06\x83",
    b"\xca\xfe\xba\xbe", b"dex\n0", b"\2\0\x0c\0", b"\3\0\x08\0",
)  # fmt: skip
_OPENED = _PACKED + _DOCUMENTS
_PYTHON = range(0x0C, 0x10)  # second byte of the version, since Python 3.0
_MAIL = (
    b"From ", b"From:", b"Return-Path:", b"Received:", b"Delivered-To:", b"MIME-Version:",
    b"Message-ID:", b"Message-Id:", b"Date:", b"To:", b"Subject:", b"X-", b"DKIM-", b"ARC-",
    b"Authentication-Results:", b"Content-Type:", b"Reply-To:", b"Sender:",
)  # fmt: skip
#: Parts that are encoded, or that may be.
_MIME = rb"(?i)\nContent-(?:Transfer-Encoding:\s*(?:base64|quoted-printable)|Type:\s*multipart/)"
#: Small ones of these may have no NUL at all.
_DENSE = (ZSTD, *(b"BZh%d1AY&SY" % level for level in range(1, 10)))
_MAGIC = 4  # what is no text says so in its first bytes
_FEWEST = 16
_NO_CONTROL = bytes(set(range(256)) - set(range(0x20)) - {0x7F}) + b"\t\r\n\f\b\x1b"
_RARELY = 100  # one byte of so many may be none of a text
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
    return head.find(b"\0", 0, HEAD) >= 0 or head.startswith(_DENSE)


def is_opaque(head: bytes) -> bool:
    """Whether it is binary and nothing in it is looked at: all but key stores."""
    if not is_binary(head):
        return False
    if head[:1] in _KEYS_BEGIN and holds_keys(head):
        return False
    return is_archive(head) or not _is_text(head[:HEAD])


def is_archive(head: bytes) -> bool:
    """Whether a file that begins like this can be opened by ``archive``: documents, too."""
    return head.startswith(_OPENED) or head[TAR_MAGIC] == b"ustar" or is_compiled_python(head)


def is_wrapped(head: bytes) -> bool:
    """Whether it has no NUL and ``archive`` opens it all the same: it says more than it shows."""
    return head.startswith(b"%PDF-") or is_mail(head)


def is_mail(head: bytes) -> bool:
    """Whether it is a mail, or a box of them, that may have encoded parts."""
    return head.startswith(_MAIL) and re.search(_MIME, head[:HEAD]) is not None


def is_compiled_python(head: bytes) -> bool:
    """Whether it is a ``.pyc``: the version is in two bytes, flags or a time and a size follow."""
    return head[2:4] == b"\r\n" and head[1] in _PYTHON and b"\0" in head[4:12]


def _is_text(head: bytes) -> bool:
    """Whether it is lines of text but for its NULs: a log that was cut while a program wrote it."""
    letters = head.replace(b"\0", b"")
    if letters[:_MAGIC].translate(None, _NO_CONTROL):
        return False
    if len(letters) < _FEWEST or b"\n" not in letters:
        return False
    controls = len(letters.translate(None, _NO_CONTROL))
    broken = len(letters) - len(letters.decode(errors="ignore").encode())
    return max(controls, broken) * _RARELY <= len(letters)


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

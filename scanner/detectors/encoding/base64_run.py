"""Runs of base64 or hex, on one line or over several."""

from __future__ import annotations

import base64
import binascii
import zlib
from collections.abc import Iterator

from stanch.scanner.detectors.encoding.copy import Copy, Encoding, is_text
from stanch.scanner.detectors.text.regex_cache import regex

_LETTERS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#: So many letters and digits in a row are in every run: of what encodes ASCII only every fourth
#: letter can be a sign, and few are. (Rulers, paths and long names would be runs otherwise.)
UNBROKEN = 32
#: So many letters, digits and signs a run has at least.
SHORTEST = 40
ALPHABET = _LETTERS + b"+/-_"
WIDEST = 1 << 18  # bytes
_HEAD = 16
_LINE = 2048
#: Letters and digits become one byte, so that a run is found by a plain search.
_RUNS = bytes(65 if byte in ALPHABET[:-4] else 32 for byte in range(256))
_RUN = b"A" * UNBROKEN
_WRAPPED = regex(rb"[A-Za-z0-9+/_-]+(?:(?:\\n|\r?\n[ \t]{0,12})[A-Za-z0-9+/_-]{16,})*={0,2}")
_BREAK = regex(rb"\\n|\s+")
#: What begins with ASCII: a zero in the top bit of each of three bytes shows in four letters.
_SIXTY_FOUR = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_GROUP = b"[%b][%b][%b]." % tuple(
    bytes(_SIXTY_FOUR[at] for at in range(64) if not at & bit) for bit in (32, 8, 2)
)
_BEGINS_TEXT = regex(
    b"(?:%b){4}|(?:[2-7][0-9A-Fa-f]|0[9AaDd]){8}|H4sI|e[AJN]" % _GROUP  # the last are compressed
)
_COMPRESSED = (b"\x1f\x8b\x08", b"\x78\x01", b"\x78\x9c", b"\x78\xda")
_GZIP_OR_ZLIB = 47
_INFLATED = 4 << 20  # bytes: an answer that is larger is read up to here
_UTF8 = regex(rb"(?:[\t\n\r -~]|[\xc2-\xf4][\x80-\xbf]{1,3})*+\Z")
_HEX = regex(rb"(?:[0-9A-Fa-f]{2})+")


def _copies(data: bytes, first: int) -> Iterator[Copy]:
    """Runs of base64 or hex, also over several lines; none is unbroken up to ``first``."""
    skipped = max(0, first - UNBROKEN)
    flat = data[skipped:].translate(_RUNS)
    found = flat.find(_RUN)
    past = 0
    while found >= 0:
        at = skipped + found
        ahead = data[max(past, at - _LINE) : at]
        at -= len(ahead) - len(ahead.rstrip(ALPHABET))
        run = _WRAPPED.match(data, at, at + WIDEST)
        past = run.end() if run else at + UNBROKEN
        if past - at >= SHORTEST and _BEGINS_TEXT.match(data, at):
            text, encoding = _block(data[at:past])
            if text:
                yield Copy(text=text, start=at, end=past, encoding=encoding)
        found = flat.find(_RUN, past - skipped)


def _block(run: bytes) -> tuple[bytes, str]:
    """The text in a run of base64 or hex, and which it was; nothing when there is none."""
    head = run[:_HEAD]
    if _HEX.fullmatch(head) and _HEX.fullmatch(run):
        text = bytes.fromhex(run.decode("ascii"))
        return (text, "hex") if is_text(text) else (b"", "")
    start = _base64(head)
    if start.startswith(_COMPRESSED):
        return _inflated(_base64(_BREAK.sub(b"", run)))
    if not (is_text(start) or _narrowed(start)):
        return b"", ""
    raw = _base64(_BREAK.sub(b"", run))
    if is_text(raw):
        return raw, "base64"
    text = _narrowed(raw)
    return (text, "utf-16+base64") if text else (b"", "")


def _inflated(raw: bytes) -> tuple[bytes, str]:
    """What was compressed before it was encoded, as recorded answers and Helm's releases are."""
    try:
        text = zlib.decompressobj(_GZIP_OR_ZLIB).decompress(raw, _INFLATED)
    except zlib.error:
        return b"", ""
    return (text, "gzip+base64") if text.isascii() or _UTF8.match(text) else (b"", "")


def _narrowed(raw: bytes) -> bytes:
    """The ASCII that is written in UTF-16, as PowerShell encodes commands; nothing for others."""
    for letters, zeros in ((raw[::2], raw[1::2]), (raw[1::2], raw[::2])):
        if not any(zeros) and is_text(letters):
            return letters
    return b""


def _base64(run: bytes) -> bytes:
    body = run.rstrip(b"=").replace(b"-", b"+").replace(b"_", b"/")
    body = body[: len(body) - 1] if len(body) % 4 == 1 else body
    try:
        return base64.b64decode(body + b"=" * (-len(body) % 4))
    except binascii.Error:
        return b""


RUN = Encoding(mark=b"[A-Za-z0-9]{%d}" % UNBROKEN, copies=_copies)

"""What a zip holds beside what its directory lists: other readers, and people, find that too.

The directory at the end is what is read; a stream reader goes by the headers in front of the
members. Where the two differ, something is in the file that nobody has looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO
from zipfile import ZipFile, ZipInfo

_HEADER = struct.Struct("<4s2xH10x2L2H")  # signature, flags, sizes, lengths of name and more
_SIGNATURE = b"PK\x03\x04"
_END = b"PK\x05\x06"
_END_SIZE = 22
_COMMENT = 1 << 16
_LATER = 8  # a flag: the sizes stand behind the member
_DESCRIPTOR = 24  # bytes that may do so
_SIGNED = b"APK Sig Block 42"
_PIECE = 1 << 20
_LARGE = 0xFFFFFFFF  # stands elsewhere
_ENDLESS = 1 << 62


def whole(opened: ZipFile) -> None:
    """Let every member be read to the end of its data, whatever the directory says of its size."""
    for info in opened.infolist():
        info.file_size = _ENDLESS


def disagreement(file: IO[bytes], info: ZipInfo) -> str | None:
    """How a member's own header differs from what the directory says of it."""
    header = _header(file, info)
    if header is None:
        return None  # opening it says so
    _, flags, packed, size, *_ = header
    if flags & _LATER or _LARGE in {packed, size}:
        return None
    return (
        None
        if (packed, size) == (info.compress_size, info.file_size)
        else "its header and the archive's directory differ in its size"
    )


def unlisted(file: IO[bytes], opened: ZipFile) -> int:
    """How many bytes are in none of the members."""
    spans = sorted(_spans(file, opened))
    at = count = 0
    for start, end in (*spans, (opened.start_dir, opened.start_dir)):
        count += _lost(file, at, start)
        at = max(at, end)
    return count + _behind(file)


def _spans(file: IO[bytes], opened: ZipFile) -> Iterator[tuple[int, int]]:
    for info in opened.infolist():
        header = _header(file, info)
        lengths = header[-2] + header[-1] if header else 0
        size = _HEADER.size + lengths + info.compress_size
        yield info.header_offset, info.header_offset + size


def _header(file: IO[bytes], info: ZipInfo) -> tuple[bytes, int, int, int, int, int] | None:
    file.seek(info.header_offset)
    head = file.read(_HEADER.size)
    if len(head) < _HEADER.size or not head.startswith(_SIGNATURE):
        return None
    return _HEADER.unpack(head)


def _lost(file: IO[bytes], start: int, end: int) -> int:
    """The bytes there, unless they are what belongs between members."""
    size = end - start
    if size <= _DESCRIPTOR:
        return 0
    file.seek(max(start, end - len(_SIGNED)))
    if file.read(len(_SIGNED)) == _SIGNED:
        return 0
    file.seek(start)
    left = size
    while left and (data := file.read(min(left, _PIECE))):
        if data.count(0) != len(data):
            return size
        left -= len(data)
    return 0


def _behind(file: IO[bytes]) -> int:
    """What stands behind the end of the archive."""
    size = file.seek(0, 2)
    file.seek(max(0, size - _COMMENT - _END_SIZE))
    last = file.read()
    at = last.rfind(_END)
    if at < 0 or len(last) - at < _END_SIZE:
        return 0
    comment = int.from_bytes(last[at + 20 : at + 22], "little")
    rest = last[at + _END_SIZE + comment :]
    return len(rest) if rest.strip(b"\0\r\n") else 0

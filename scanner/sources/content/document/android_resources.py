"""The texts in Android's resources and manifests: pools in UTF-8 or UTF-16."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces
from stanch.scanner.sources.content.document.strings import numbered
from stanch.scanner.sources.content.window import BINARY

LARGEST = 64 << 20  # bytes
_POOL = b"\1\0\x1c\0"  # a pool of strings, and the size of its header
_HEADER = 28
_UTF8 = 1 << 8
_PART = 8  # the head of a part: kind, size of its header, its size
_LONG, _WIDE = 0x80, 0x8000


def read(file: IO[bytes], opening: Opening) -> Pieces:
    """Its texts; of what only begins like resources, nothing."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise DamagedError(f"of more than {LARGEST >> 20} MiB")
    (header, size) = struct.unpack_from("<HI", data, 2) if len(data) >= _PART else (0, 0)
    if not header <= size <= len(data) or data.find(_POOL, header, 4096) < 0:
        yield Gap(path=opening.place.path, why=BINARY, incomplete=False)
        return
    yield from numbered(_strings(data), opening)


def _strings(data: bytes) -> Iterator[bytes]:
    at = data.find(_POOL)
    while at >= 0:
        (size,) = struct.unpack_from("<I", data, at + 4)
        pool = data[at : at + size]
        if len(pool) > _HEADER:
            yield from _pool(pool)
        at = data.find(_POOL, at + max(size, _PART))


def _pool(pool: bytes) -> Iterator[bytes]:
    count, _, flags, start = struct.unpack_from("<IIII", pool, 8)
    if _HEADER + 4 * count > len(pool):
        raise DamagedError("its strings are broken")
    for (offset,) in struct.iter_unpack("<I", pool[_HEADER : _HEADER + 4 * count]):
        at = start + offset
        if at + 4 <= len(pool):
            yield _narrow(pool, at) if flags & _UTF8 else _broad(pool, at)


def _narrow(pool: bytes, at: int) -> bytes:
    """Letters, bytes, and then the text; a length above 127 has two bytes."""
    at += 2 if pool[at] & _LONG else 1
    size = pool[at]
    at += 1
    if size & _LONG:
        size = (size & (_LONG - 1)) << 8 | pool[at]
        at += 1
    return pool[at : at + size]


def _broad(pool: bytes, at: int) -> bytes:
    (size,) = struct.unpack_from("<H", pool, at)
    at += 2
    if size & _WIDE:
        size = (size & (_WIDE - 1)) << 16 | int.from_bytes(pool[at : at + 2], "little")
        at += 2
    return pool[at : at + 2 * size].decode("utf-16-le", "replace").encode("utf-8", "replace")

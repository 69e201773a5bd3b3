"""The texts in Android's bytecode: its table of strings."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import IO

from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces
from stanch.scanner.sources.content.document.strings import numbered

LARGEST = 64 << 20  # bytes
_HEADER = 0x70
_COUNT = 56  # where the header says how many strings there are, and where
_LENGTH = 5  # bytes that a length may have
_MORE = 0x80


def read(file: IO[bytes], opening: Opening) -> Pieces:
    """Its texts."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST or len(data) < _HEADER:
        raise DamagedError(f"of more than {LARGEST >> 20} MiB" if data[_HEADER:] else "cut off")
    yield from numbered(_strings(data), opening)


def _strings(data: bytes) -> Iterator[bytes]:
    count, table = struct.unpack_from("<II", data, _COUNT)
    if table + 4 * count > len(data):
        raise DamagedError("its table of strings is broken")
    for number in range(count):
        (at,) = struct.unpack_from("<I", data, table + 4 * number)
        for _ in range(_LENGTH):  # how many letters; the zero behind them says where it ends
            more = at < len(data) and data[at] & _MORE
            at += 1
            if not more:
                break
        end = data.find(b"\0", at)
        yield data[at : end if end >= 0 else len(data)]

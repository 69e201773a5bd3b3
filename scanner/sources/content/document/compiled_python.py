"""The texts in compiled Python, by the shape in which they are written.

The format is never loaded: what loads it trusts it. A text is a sign of its kind, its length, and
then so many bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces
from stanch.scanner.sources.content.document.strings import SHORTEST, numbered

LARGEST = 64 << 20  # bytes
_LONGEST = 1 << 20
#: Short ASCII, plain and interned; then what has four bytes of length. The top bit says that
#: something refers to it.
_TEXT = re.compile(
    rb"[zZ\xfa\xda](?P<short>[\x08-\xff])(?=[\t\n\r -~]{8})"
    rb"|[aAust\xe1\xc1\xf5\xf3\xf4](?P<long>[\0-\xff]{3}\0)(?=[\t\n\r -~\x80-\xff]{8})"
)
_NO_TEXT = re.compile(rb"[\0-\x08\x0b\x0c\x0e-\x1f\x7f]")


def read(file: IO[bytes], opening: Opening) -> Pieces:
    """Its texts, names included."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise DamagedError(f"of more than {LARGEST >> 20} MiB")
    yield from numbered(_texts(data), opening)


def _texts(data: bytes) -> Iterator[bytes]:
    at = 16  # behind the header
    while found := _TEXT.search(data, at):
        length = found["short"] or found["long"]
        size = int.from_bytes(length, "little")
        begin = found.end()
        end = begin + size
        if (
            SHORTEST <= size <= _LONGEST
            and end <= len(data)
            and not _NO_TEXT.search(data, begin, end)
        ):
            yield data[begin:end]
            at = end
        else:
            at = found.start() + 1

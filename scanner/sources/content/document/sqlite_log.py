"""What SQLite has not yet taken over into a database: pages in its log, read as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import IO

from stanch.scanner.sources.content.document.opening import Opening, Pieces
from stanch.scanner.sources.content.document.strings import numbered

_RUN = re.compile(rb"[^\0-\x08\x0b\x0c\x0e-\x1f\x7f]{16,}")
_BLOCK = 1 << 20
_OVERLAP = 4096


def read(file: IO[bytes], opening: Opening) -> Pieces:
    """Its runs of text."""
    yield from numbered(_runs(file), opening)


def _runs(file: IO[bytes]) -> Iterator[bytes]:
    held = b""
    while block := file.read(_BLOCK):
        held += block
        end = 0
        for run in _RUN.finditer(held):
            if run.end() < len(held) or len(run[0]) > _OVERLAP:
                yield run[0]
                end = run.end()
        held = held[max(end, len(held) - _OVERLAP) :]
    yield from _RUN.findall(held)

"""What a version of a file adds to an earlier one: only that has to be searched again."""

from __future__ import annotations

from scanner.model.fragment import Fragment
from scanner.model.provenance import Provenance

CONTEXT = 2048
"""Bytes around an added stretch in which a secret that reaches into it may begin."""

MARGIN = 1024
"""Bytes beyond, which are only there to be looked at."""


def added(base: bytes, data: bytes, provenance: Provenance) -> Fragment | None:
    """``data`` without what it begins and ends with in common with ``base``; None when all is.

    What lies between is one fragment, with its lines and columns in the whole of ``data``.
    """
    begin = _common(base, data)
    if begin == len(data):
        return None
    rest = min(len(base), len(data)) - begin
    end = len(data) - _common(base[: -rest - 1 : -1], data[: -rest - 1 : -1])
    start, stop = max(0, begin - CONTEXT - MARGIN), min(len(data), end + CONTEXT + MARGIN)
    if start == 0 and stop == len(data):
        return Fragment(data=data, provenance=provenance)
    line = data.count(b"\n", 0, start) + 1
    first = (line, start - data.rfind(b"\n", 0, start))
    return Fragment(
        data=data[start:stop],
        provenance=provenance,
        first_line=first[0],
        first_column=first[1],
        owned=(
            _place(data, max(0, begin - CONTEXT), start, line),
            _place(data, min(len(data), end + CONTEXT), start, line),
        ),
    )


def _common(one: bytes, other: bytes) -> int:
    """How many bytes both begin with, by halving: comparing is quick, a loop is not."""
    low, high = 0, min(len(one), len(other))
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _place(data: bytes, offset: int, start: int, line: int) -> tuple[int, int]:
    """The line and column of ``offset``, counted from ``start`` on ``line``."""
    return (
        line + data.count(b"\n", start, offset),
        offset - data.rfind(b"\n", 0, offset),
    )

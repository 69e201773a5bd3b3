"""Byte offsets to lines and columns."""

from __future__ import annotations

from bisect import bisect_right

from scanner.model.finding import Span


class LineIndex:
    """Knows where lines begin; built only for fragments that hold a candidate."""

    __slots__ = ("_first", "_starts")

    def __init__(self, data: bytes, first_line: int) -> None:
        self._first = first_line
        self._starts = [0]
        at = data.find(b"\n")
        while at >= 0:
            self._starts.append(at + 1)
            at = data.find(b"\n", at + 1)

    def line(self, offset: int) -> int:
        """The 1-based line of the byte at ``offset``."""
        return bisect_right(self._starts, offset) - 1 + self._first

    def span(self, start: int, end: int) -> Span:
        """``data[start:end]`` as lines and columns; the end column is just past the last byte."""
        first = bisect_right(self._starts, start) - 1
        last = bisect_right(self._starts, max(start, end - 1)) - 1
        return Span(
            line=first + self._first,
            column=start - self._starts[first] + 1,
            end_line=last + self._first,
            end_column=end - self._starts[last] + 1,
        )

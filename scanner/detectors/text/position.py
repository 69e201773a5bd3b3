"""Byte offsets to lines and columns."""

from __future__ import annotations

from stanch.scanner.model.finding import Span


class LineIndex:
    """Counts lines only between the places that are asked for: most of a file never is."""

    __slots__ = ("_at", "_begin", "_data", "_line")

    def __init__(self, data: bytes, first_line: int) -> None:
        self._data = data
        self._at = 0  # the last place that was asked for, its line, and where that line begins
        self._line = first_line
        self._begin = 0

    def line(self, offset: int) -> int:
        """The 1-based line of the byte at ``offset``."""
        if offset >= self._at:
            newlines = self._data.count(b"\n", self._at, offset)
        elif offset >= self._begin:
            newlines = 0
        else:
            newlines = -self._data.count(b"\n", offset, self._at)
        if newlines:
            self._line += newlines
            self._begin = self._data.rfind(b"\n", 0, offset) + 1
        self._at = offset
        return self._line

    def span(self, start: int, end: int) -> Span:
        """``data[start:end]`` as lines and columns; the end column is just past the last byte."""
        line, column = self.line(start), start - self._begin + 1
        last = self.line(max(start, end - 1))
        return Span(line=line, column=column, end_line=last, end_column=end - self._begin + 1)

"""Byte offsets to lines and columns."""

from __future__ import annotations

from stanch.scanner.model.finding import Span

_CONTINUE = bytes(range(0x80, 0xC0))


class LineIndex:
    """Counts lines only between the places that are asked for: most of a file never is."""

    __slots__ = ("_at", "_begin", "_data", "_line", "_wide")

    def __init__(self, data: bytes, first_line: int) -> None:
        self._data = data
        self._at = 0  # the last place that was asked for, its line, and where that line begins
        self._line = first_line
        self._begin = 0
        self._wide = (0, 0, 0)  # a line's begin, and how many bytes up to where continue characters

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
        wide = self._continued(start)
        last = self.line(max(start, end - 1))
        return Span(
            line=line,
            column=column,
            end_line=last,
            end_column=end - self._begin + 1,
            wide=(wide, self._continued(end)),
        )

    def _continued(self, offset: int) -> int:
        """How many bytes in front of ``offset``, on its line, continue a character of UTF-8."""
        begin, at, count = self._wide
        if begin != self._begin or offset < at:
            begin, at, count = self._begin, self._begin, 0
        piece = self._data[at:offset]
        if not piece.isascii():
            count += len(piece) - len(piece.translate(None, _CONTINUE))
        self._wide = begin, offset, count
        return count

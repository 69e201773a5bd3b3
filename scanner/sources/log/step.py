"""Which step of a job wrote a line: by what the log says, or by when the step ran."""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

from stanch.scanner.model.record import Record
from stanch.scanner.sources.log.shape import Shape, Turn

MOST = 100_000
"""Turns that are remembered; what comes behind them belongs to the last."""
_DEEPEST = 16  # sections within sections
_STAMP = re.compile(rb"(?:\xef\xbb\xbf)?(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z ")


class Ran(Record):
    """A step as the provider lists it: ``since`` is like ``2024-05-06T07:08:09``, in UTC."""

    name: str
    since: str


class _Known(NamedTuple):
    line: int
    name: str


class Steps:
    """Hears a log from its beginning to its end; knows the step of each line up to there."""

    def __init__(self, shape: Shape, ran: tuple[Ran, ...] = ()) -> None:
        self._shape = shape
        self._ran = sorted(ran, key=lambda each: each.since)
        self._known: list[_Known] = []
        self._open: list[str] = []
        self._heard = 0

    def hear(self, data: bytes, first_line: int) -> None:
        """Take the turns in the next lines; those that were heard before count once."""
        shape, past = self._shape, self._heard
        if shape.turn is None or shape.read is None or shape.marker not in data:
            return
        data, line, at = b"\n" + data, first_line - 1, 0
        for found in shape.turn.finditer(data):
            line, at = line + data.count(b"\n", at, found.start("name")), found.start("name")
            if line > past and len(self._known) < MOST:
                self._heard = line
                self._take(shape.read(found), line)

    def _take(self, turn: Turn, line: int) -> None:
        if turn.name is None:
            self._open = self._open[:-1]
        elif turn.nested:
            self._open = [*self._open[-_DEEPEST:], turn.name]
        elif turn.weak and self._open:
            return
        elif not turn.weak:
            self._open = [turn.name]
        name = turn.name or (self._open[-1] if self._open else "")
        self._known.append(_Known(line, name))

    def name(self, line: int, text: bytes) -> str:
        """The step that wrote the line; ``text`` is how that line begins."""
        stamp = _STAMP.match(text) if self._ran else None
        if stamp is not None:
            since = stamp[1].decode("ascii")
            number = bisect_right(self._ran, since, key=lambda each: each.since) - 1
            return self._ran[max(0, number)].name
        number = bisect_right(self._known, line, key=lambda each: each.line) - 1
        return self._known[number].name if number >= 0 else ""

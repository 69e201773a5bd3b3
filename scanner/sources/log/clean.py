"""A log's lines as a reader sees them, with the way back to the bytes in the log."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property
from itertools import accumulate

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InLog, Provenance
from stanch.scanner.model.record import replace
from stanch.scanner.sources.content.window import Read, fragments
from stanch.scanner.sources.log.shape import Shape, shape_of
from stanch.scanner.sources.log.stage import Back
from stanch.scanner.sources.log.step import Ran, Steps

_HEAD = 64 << 10  # bytes that say what a log is
_LONGEST_HEAD = 64  # bytes of a line that say when it was written


class Masked:
    """Counts what a provider has masked in URLs: no secret, but the place where one is printed."""

    _URL = re.compile(
        rb"://[^\s/@]{3,400}@"
    )  # with a sign in it: looked for apart, else it is slow
    _SIGNS = (b"***", b"[MASKED]", b"[REDACTED]")

    def __init__(self) -> None:
        self.first = self._last = self._count = 0

    def hear(self, data: bytes, first_line: int) -> None:
        """Take the next lines; those that were heard before count once."""
        if not any(sign in data for sign in self._SIGNS):
            return
        line, at = first_line, 0
        past = self._last
        for found in self._URL.finditer(data):
            if not any(sign in found[0] for sign in self._SIGNS):
                continue
            line, at = line + data.count(b"\n", at, found.start()), found.start()
            if line > past:
                self._count, self._last = self._count + 1, line
                self.first = self.first or line

    @property
    def said(self) -> str:
        """In words."""
        number = "a login" if self._count == 1 else f"{self._count:,} logins"
        return f"prints {number} in a URL that the provider has masked (line {self.first})"


class Cleaned:
    """One window of a log: ``data`` is as it stands there, ``text`` what is scanned."""

    def __init__(self, raw: Fragment, shape: Shape, steps: Steps) -> None:
        self.data = raw.data
        self._shape = shape
        self._steps = steps
        self._place = raw.provenance
        self._first_line = raw.first_line
        # A head is known by the feed in front of it, which the first line does not have.
        self._added = int(raw.first_column == 1)
        text = self._fed
        for stage in shape.stages:
            text = stage.apply(text)
        self.text = text[self._added :]

    @property
    def _fed(self) -> bytes:
        return b"\n" + self.data if self._added else self.data

    def offset(self, line: int, column: int) -> int:
        """Where in ``data`` the byte stands that has this position in ``text``."""
        at = self._starts[line - self._first_line] + column - 1 + self._added
        for back in self._backs:
            at = back.offset(at)
        return at - self._added

    def at(self, line: int, column: int) -> Provenance:
        """The place of what has this position in ``text``, with its step."""
        if not isinstance(self._place, InLog) or self._place.step:
            return self._place
        number = bisect_right(self._lines, self.offset(line, column)) - 1
        begin = self._lines[number]
        head = self.data[begin : begin + _LONGEST_HEAD]
        step = self._steps.name(self._first_line + number, head)
        return replace(self._place, step=step) if step else self._place

    @cached_property
    def _starts(self) -> list[int]:
        return _begins(self.text)

    @cached_property
    def _lines(self) -> list[int]:
        return _begins(self.data)

    @cached_property
    def _backs(self) -> list[Back]:
        backs = []
        data = self._fed
        for stage in self._shape.stages:
            backs.append(stage.back(data))
            data = stage.apply(data)
        return backs[::-1]


def _begins(data: bytes) -> list[int]:
    """Where each line begins."""
    return list(accumulate((len(line) + 1 for line in data.split(b"\n")[:-1]), initial=0))


def cleaned(read: Read, place: Provenance, ran: tuple[Ran, ...] = ()) -> Iterator[Fragment | Gap]:
    """The log behind ``read`` in windows of clean text; ``ran`` are its steps, where known.

    The provider in ``place`` may be "": then it is the one that the log looks like.
    """
    shape: Shape | None = None
    masked = Masked()
    for raw in fragments(read, place, text=True):
        if isinstance(raw, Gap):
            yield raw
            continue
        if shape is None:
            provider = place.provider if isinstance(place, InLog) else ""
            shape = shape_of(raw.data[:_HEAD], provider)
            steps = Steps(shape, ran)
            if isinstance(place, InLog) and not provider:
                place = replace(place, provider=shape.name)
        steps.hear(raw.data, raw.first_line)
        masked.hear(raw.data, raw.first_line)
        window = replace(raw, provenance=place)
        origin = Cleaned(window, shape, steps)
        yield replace(window, data=origin.text, origin=origin)
    if masked.first:
        yield Gap(path=place.path, why=masked.said, incomplete=False)

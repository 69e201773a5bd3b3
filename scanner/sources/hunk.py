"""A stretch of a content that is worth looking at, and the content that it is judged by.

Histories have very many of them, and most hold nothing: making one costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import Provenance

CONTEXT = 512
"""Bytes around a change in which a secret that reaches into it may begin, and then up to the
border of the line: what stands on one line is never cut. What depends on more says so (see
``detectors.engine.Reach``)."""

_LINE = 4096  # bytes; the border of a longer line is not looked for


class Item(Protocol):
    """What a source reads."""

    @property
    def path(self) -> str:
        """Where it is."""


class Hunk(NamedTuple):
    """``whole[first:last]`` is new in its file; ``place(item)`` is where that is."""

    whole: bytes
    first: int
    last: int
    place: Callable[[Any], Provenance]
    item: Item

    @property
    def part(self) -> tuple[int, int] | None:
        """The stretch, None when it is all."""
        return (self.first, self.last) if self.last - self.first < len(self.whole) else None

    def fragment(self) -> Fragment:
        """All that it is judged by."""
        return Fragment(data=self.whole, provenance=self.place(self.item))


def hunks(
    whole: bytes,
    changes: Iterable[tuple[int, int]],
    place: Callable[[Any], Provenance],
    item: Item,
) -> Iterator[Hunk]:
    """What has to be looked at to find everything that reaches into one of the changes."""
    first, last = -1, -CONTEXT - 1
    for begin, end in changes:
        start = begin - CONTEXT
        if start > last:
            if first >= 0:
                yield Hunk(whole, first, last, place, item)
            first = max(last, _line_start(whole, start) if start > 0 else 0)
        stop = end + CONTEXT
        last = _line_end(whole, stop) if stop < len(whole) else len(whole)
    if first >= 0:
        yield Hunk(whole, first, last, place, item)


def _line_start(data: bytes, offset: int) -> int:
    """Where the line of that offset begins; the offset itself when that is far away."""
    least = offset - _LINE
    border = data.rfind(b"\n", max(0, least), offset)
    return border + 1 if border >= 0 or least <= 0 else offset


def _line_end(data: bytes, offset: int) -> int:
    """Behind the line feed of the line of that offset; the offset itself when that is far away."""
    most = offset + _LINE
    border = data.find(b"\n", offset, most)
    if border < 0:
        return len(data) if most >= len(data) else offset
    return border + 1

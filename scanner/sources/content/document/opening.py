"""What a reader of a document is given, and how it gives back text that has names inside.

A reader yields fragments whose lines are pieces with names (a cell, a page, a row) and hands on to
``inner`` what is a file of its own (an attachment). It raises :class:`DamagedError` when the rest
cannot be read; what it has given before that counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Protocol

from stanch.scanner.model.fragment import Fragment, Gap, Places
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import Record, replace
from stanch.scanner.sources.content.text_or_binary import WINDOW
from stanch.scanner.sources.content.window import fragments

Pieces = Iterator[Fragment | Gap]


class DamagedError(ValueError):
    """It is broken, or not what it says it is."""


class Readable(Protocol):
    """What content is read from."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; nothing at the end."""


class Opening(Record):
    """One document to read: its place, what it may cost, and who opens what is inside.

    ``take`` accounts for so many bytes of text and raises when a bound is met; ``inner`` opens a
    file inside, shown as ``document!name``.
    """

    place: Provenance
    take: Callable[[int], None]
    inner: Callable[[Readable, str], Pieces]


class Text:
    """Puts named pieces of text together into fragments of a size that is worth a scan."""

    def __init__(self, opening: Opening) -> None:
        self._opening = opening
        self._clear()

    def _clear(self) -> None:
        self._data = bytearray()
        self._starts: list[tuple[int, int]] = []
        self._names: list[str] = []
        self._line = 1
        self._column = 1

    def add(self, name: str, text: bytes, end: bytes = b"\n", label: bytes = b"") -> Pieces:
        """One more piece; ``label`` stands in front of it, and ``end`` between it and the next."""
        self._opening.take(len(label) + len(text))
        size = len(label) + len(text) + len(end)
        if size > WINDOW:
            yield from self.done()
            place = self._opening.place
            inside = replace(place, path=f"{place.path}!{name}")
            yield from fragments(BytesIO(text).read, inside, len(text))
            return
        if len(self._data) + size > WINDOW:
            yield from self.done()
        self._data += label
        self._column += len(label)
        self._starts.append((self._line, self._column))
        self._names.append(name)
        self._data += text
        self._data += end
        lines = text.count(b"\n") + end.count(b"\n")
        last = len(self._data) - self._data.rfind(b"\n")
        self._line += lines
        self._column = last if lines else self._column + len(text) + len(end)

    def done(self) -> Pieces:
        """What is left."""
        if self._data:
            places = Places(starts=tuple(self._starts), names=tuple(self._names))
            data = bytes(self._data)
            self._clear()
            yield Fragment(data=data, provenance=self._opening.place, places=places)

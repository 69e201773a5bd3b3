"""A piece of input and where it comes from: what every source yields."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Hashable
from typing import Protocol

from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import Record, replace


class Places(Record):
    """Names of the pieces that a fragment is made of: rows, cells, pages of a document.

    ``starts`` are the positions (line, column) at which they begin, ascending.
    """

    starts: tuple[tuple[int, int], ...]
    names: tuple[str, ...]

    def at(self, line: int, column: int) -> tuple[str, tuple[int, int]]:
        """The name of the piece at a position, and where that piece begins."""
        number = max(0, bisect_right(self.starts, (line, column)) - 1)
        return self.names[number], self.starts[number]


class Origin(Hashable, Protocol):
    """What the text of a fragment was made from, and the way back to it."""

    @property
    def data(self) -> bytes:
        """The bytes as they stand where they were read."""

    def offset(self, line: int, column: int) -> int:
        """Where in ``data`` what has this position in the fragment begins."""

    def at(self, line: int, column: int) -> Provenance:
        """The place of what has this position in the fragment."""


class Fragment(Record):
    """Bytes and their place. ``first_line`` is the 1-based line of ``data[0]`` in the whole file.

    A file too large for one fragment comes as overlapping windows, which may start inside a line:
    ``first_column`` is the column of ``data[0]``, and only findings that start in the half-open
    range ``owned`` of (line, column) positions of the whole file count, so each counts once.

    Of a document that is no text, pieces are put together to one text; ``places`` names them, and a
    finding is in the piece ``path!name``, with its line in there. Of a log the text is what a
    reader sees, and ``origin`` what the log holds: findings and windows have the places in there.
    ``whole`` gives all of the content that a window is cut from, where it can be had again.
    """

    data: bytes
    provenance: Provenance
    first_line: int = 1
    first_column: int = 1
    owned: tuple[tuple[int, int], tuple[int, int]] | None = None
    places: Places | None = None
    origin: Origin | None = None
    whole: Callable[[], bytes] | None = None

    def at(self, line: int, column: int) -> Provenance:
        """Where what stands at a position is."""
        if self.origin is not None:
            return self.origin.at(line, column)
        if self.places is None:
            return self.provenance
        name, _ = self.places.at(line, column)
        return replace(self.provenance, path=f"{self.provenance.path}!{name}")


class Gap(Record):
    """Something a source could not read or left out by a bound.

    ``incomplete`` gaps (unreadable, broken, over a bound) make the exit code 3; the others (binary
    files, ignored paths) are only counted and said. A ``lasting`` one lies in the content itself:
    reading the same again would not bring more.
    """

    path: str
    why: str
    incomplete: bool
    lasting: bool = False

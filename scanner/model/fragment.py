"""A piece of input and where it comes from: what every source yields."""

from __future__ import annotations

from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import Record


class Fragment(Record):
    """Bytes and their place. ``first_line`` is the 1-based line of ``data[0]`` in the whole file.

    A file too large for one fragment comes as overlapping windows, which may start inside a line:
    ``first_column`` is the column of ``data[0]``, and only findings that start in the half-open
    range ``owned`` of (line, column) positions of the whole file count, so each counts once.
    """

    data: bytes
    provenance: Provenance
    first_line: int = 1
    first_column: int = 1
    owned: tuple[tuple[int, int], tuple[int, int]] | None = None


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

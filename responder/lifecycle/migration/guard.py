"""The plain file goes, references stay; and it is kept from coming back.

No copy of the old file is kept: a backup in plain text is the very thing that is to go. Each value
is read from the store and compared once more before the file that has it is replaced.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from stanch.responder.lifecycle.migration.listing import LARGEST, Form, Listing, rewritten
from stanch.responder.lifecycle.migration.plan import MOVES, Row, Verdict
from stanch.responder.lifecycle.migration.repository import Repository
from stanch.responder.lifecycle.migration.result import Line, Phase, Result, State
from stanch.responder.lifecycle.model.answer import NotGiven
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.reference import Reference
from stanch.scanner.model.secret import SecretValue

_COPIES = ("*.env*", "env*", "*.bak", "*~", "*.swp", "*.orig", "*.old")
_SHORTEST = 8  # characters: shorter values are in every file by chance


@dataclass(frozen=True, slots=True, kw_only=True)
class Guard:
    """``leaks``: the lines of a text in which a scan finds a credential."""

    store: Backend
    fingerprint: Callable[[SecretValue], str]
    opened: Callable[[Reference, str], None]
    leaks: Callable[[bytes], tuple[int, ...]]
    repository: Callable[[Path], Repository | None]

    def close(self, listings: Iterable[Listing], rows: tuple[Row, ...]) -> Result:
        """Replace each file, then look for what else there is of it."""
        lines: list[Line] = []
        for listing in listings:
            if listing.form is Form.ENV:
                lines += self._file(
                    listing, [row for row in rows if row.variable.path == listing.path]
                )
            else:
                lines += _by_hand(listing, rows)
        bad = sum(line.bad for line in lines)
        summary = (
            f"{bad} things are left to do" if bad else "the plain values are gone from the files"
        )
        return Result(
            phase=Phase.GUARD,
            state=State.FAILED if bad else State.DONE,
            summary=summary,
            lines=tuple(lines),
        )

    def _file(self, listing: Listing, rows: list[Row]) -> Iterator[Line]:
        moved = [row for row in rows if row.verdict in MOVES]
        if moved:
            why = self._replace(listing, moved)
            yield _line(listing.path, "kept" if why else "replaced", why)
            if why:
                return
        values = [row.value for row in moved if len(row.value) >= _SHORTEST]
        yield from _copies(listing.path, values)
        if moved or any(row.verdict is Verdict.MOVED for row in rows):
            yield from self._kept_out(listing.path)

    def _replace(self, listing: Listing, rows: list[Row]) -> str:
        """Why it was not done; empty when it was."""
        references: dict[str, str] = {}
        for row in rows:
            assert row.reference is not None  # noqa: S101  # only named rows are moved
            found = self.store.read(row.reference)
            if isinstance(found, NotGiven):
                return f"{row.reference} is not there: {found.why}"
            self.opened(row.reference, found.version)
            if self.fingerprint(found.value) != row.fingerprint:
                return f"{row.reference} has another value than {row.variable.place}"
            references[row.variable.name] = str(row.reference)
        made = rewritten(listing, references)
        left = self.leaks(made)
        if left:
            return f"line {left[0]} would still hold a credential: take it out (comments count)"
        return _swap(listing, made)

    def _kept_out(self, path: Path) -> Iterator[Line]:
        repository = self.repository(path)
        if repository is None:
            yield Line(name=path.name, said="no git", place=str(path), detail="nothing to guard")
            return
        yield from repository.guard(path)


def _swap(listing: Listing, made: bytes) -> str:
    """Put the new text in place, at once and for good, unless the file was changed meanwhile."""
    path = listing.path.resolve()
    try:
        if path.read_bytes() != listing.data:
            return "it was changed while it was moved: run the same command again"
        mode = path.stat().st_mode & 0o700
        number, name = tempfile.mkstemp(prefix=".stanch-", dir=path.parent)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(made)
                file.flush()
                os.fchmod(number, mode)
                os.fsync(number)
            Path(name).replace(path)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        return f"it cannot be replaced: {error.strerror}"
    return ""


def _copies(path: Path, values: list[SecretValue]) -> Iterator[Line]:
    """Files beside it that hold one of the values."""
    beside = {each for pattern in _COPIES for each in path.resolve().parent.glob(pattern)}
    for each in sorted(beside):
        try:
            if not each.is_file() or each.stat().st_size > LARGEST:
                continue
            data = each.read_bytes()
        except OSError as error:
            yield _line(each, "not read", str(error.strerror))
            continue
        if any(value.reveal() in data for value in values):
            yield _line(each, "a copy", "it holds a value that was moved: migrate it or delete it")


def _by_hand(listing: Listing, rows: tuple[Row, ...]) -> Iterator[Line]:
    """What only a person can take away: the list's own file, and the variables it tells of."""
    mine: Mapping[str, Row] = {
        row.variable.name: row
        for row in rows
        if row.variable.path == listing.path and row.verdict in MOVES
    }
    if mine:
        yield _line(listing.path, "delete it", "the list holds plain values")
    for name in sorted(mine):
        why = f"delete it in {listing.form}'s settings when jobs read {mine[name].reference}"
        yield Line(name=name, said="still there", place=str(listing.path), detail=why, bad=True)


def _line(path: Path, said: str, why: str) -> Line:
    return Line(name=path.name, said=said, place=str(path), detail=why, bad=bool(why))

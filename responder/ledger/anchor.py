"""Anchors: checkpoints kept where whoever rewrites the database cannot reach."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Protocol

from stanch.responder.domain.error import LedgerError
from stanch.responder.domain.timeline import Entry
from stanch.responder.keys.folder import close_file
from stanch.responder.ledger.chain import GENESIS, digest
from stanch.responder.ledger.checkpoint import Checkpoint, PublicHalf, SigningKey
from stanch.responder.ledger.seal import LedgerSeal

_LINE = 4096  # more than any signed line
_PAGE = 500  # entries looked at together


class Chained(Protocol):
    """What anchoring needs of a store: cheap looks at single entries."""

    def head(self) -> Entry | None:
        """The newest entry."""

    def entry(self, seq: int) -> Entry | None:
        """The entry number ``seq``."""

    def between(self, first: int, last: int) -> Sequence[Entry]:
        """The entries from ``first`` to ``last``, those two as well."""


class AnchorFile:
    """An append-only file of signed lines (mode 0600). Best on another disk or host."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> tuple[str, ...]:
        """All whole lines; none when there is no file. A torn last line was never an anchor."""
        try:
            text = self.path.read_bytes()
        except FileNotFoundError:
            return ()
        except OSError as error:
            raise self._unusable(error) from None
        return tuple(
            line.decode("utf-8", "replace") for line in text.split(b"\n")[:-1] if line.strip()
        )

    @property
    def begun(self) -> bool:
        """Whether there is a whole line, without reading them all."""
        try:
            with self.path.open("rb") as file:
                return b"\n" in file.read(_LINE)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise self._unusable(error) from None

    def newest(self) -> str | None:
        """The last whole line, without waiting for who writes."""
        try:
            with self.path.open("rb") as file:
                return _tail(file)[1]
        except FileNotFoundError:
            return None
        except OSError as error:
            raise self._unusable(error) from None

    @contextmanager
    def appending(self) -> Iterator[tuple[BinaryIO, str | None]]:
        """The file, locked and at its end, with its last whole line."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            close_file(self.path)
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise self._unusable(error) from None
        with os.fdopen(descriptor, "r+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file, _last(file)

    def _unusable(self, error: OSError) -> LedgerError:
        return LedgerError(
            f"the anchors {self.path} cannot be used: {error.strerror}",
            remedy="name a file that this user may write, outside the database",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notary:
    """Signs the ledger's head and writes it into every anchor file."""

    signer: SigningKey | PublicHalf
    seal: LedgerSeal
    files: Sequence[AnchorFile]

    @property
    def origin(self) -> str:
        """The ledger that is anchored."""
        return self.seal.origin

    def anchor(self, store: Chained, *, now: datetime) -> Checkpoint | None:
        """Anchor what is committed; call it after a commit. None when nothing is new.

        Raises LedgerError, and signs nothing, when the ledger does not continue its last anchor.
        """
        newest: Checkpoint | None = None
        for target in self.files:
            newest = self._write(target, store, now) or newest
        return newest

    def require(self, store: Chained) -> None:
        """The ledger still holds what was anchored last. Raises LedgerError; writes nothing."""
        for file in self.files:
            line = file.newest()
            if line is not None:
                self._check(self.signer.public.read(line), store)

    def _write(self, target: AnchorFile, store: Chained, now: datetime) -> Checkpoint | None:
        with target.appending() as (file, line):
            # Read under the lock, so that the sizes in a file never fall.
            head = store.head()
            last = None if line is None else self.signer.public.read(line)
            if last is not None:
                self._check(last, store)
            if head is None or (last is not None and last.size == head.seq):
                return None
            self._ours(store, last, head)
            checkpoint = Checkpoint(origin=self.origin, size=head.seq, head=head.digest, at=now)
            file.write(self.signer.sign(checkpoint).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
            return checkpoint

    def _check(self, last: Checkpoint, store: Chained) -> None:
        found = store.entry(last.size)
        if last.origin != self.origin or found is None or found.digest != last.head:
            raise LedgerError(
                f"the ledger does not continue its anchor of {last.at:%Y-%m-%d %H:%M:%S} UTC "
                f"({last.size} entries)",
                remedy="run `stanch audit verify`; it names what was changed and where",
            )

    def _ours(self, store: Chained, last: Checkpoint | None, head: Entry) -> None:
        """What is signed is what we wrote: who verifies by anchors alone relies on it."""
        seq, previous = (0, GENESIS) if last is None else (last.size, last.head)
        while seq < head.seq:
            upto = min(head.seq, seq + _PAGE)
            found = {entry.seq: entry for entry in store.between(seq + 1, upto)}
            while seq < upto:
                seq += 1
                previous = self._next(found.get(seq), seq, previous)

    def _next(self, entry: Entry | None, seq: int, previous: str) -> str:
        """The digest of an entry that we wrote after ``previous``."""
        if (
            entry is None
            or entry.previous != previous
            or entry.digest != digest(entry.event, seq=seq, previous=previous)
            or not self.seal.accepts(entry.digest, entry.mac)
        ):
            raise LedgerError(
                f"TAMPERED: ledger entry {seq} was not written by this installation",
                remedy="run `stanch audit verify`; it names what was changed and where",
            )
        return entry.digest


def _last(file: BinaryIO) -> str | None:
    whole, line = _tail(file)
    # A crash in the middle of a write leaves a torn line: it anchored nothing and goes.
    file.truncate(whole)
    file.seek(whole)
    return line


def _tail(file: BinaryIO) -> tuple[int, str | None]:
    """Where the last whole line ends, and what it says."""
    end = file.seek(0, os.SEEK_END)
    start = file.seek(max(0, end - _LINE))
    tail = file.read()
    whole = tail.rfind(b"\n") + 1
    lines = tail[:whole].split(b"\n")[:-1]
    return start + whole, lines[-1].decode("utf-8", "replace") if lines else None

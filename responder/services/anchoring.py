"""Anchors begin once, on the record: anchors that are gone are never made anew in silence."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Protocol

from stanch.responder.domain.caller import SYSTEM, Caller
from stanch.responder.domain.error import LedgerError, StanchError, UsageError
from stanch.responder.domain.ports import Store, Transaction
from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.anchor import Chained, Notary

BEGUN = "anchor.begun"


class Anchored(Store, Chained, Protocol):
    """A store whose record can be anchored."""


@dataclass(slots=True, kw_only=True)
class Anchoring:
    """Anchors what is committed."""

    store: Anchored
    notary: Notary
    begun: bool = False  # known to be on record
    _at_work: threading.Lock = field(default_factory=threading.Lock)
    _next: threading.Lock = field(default_factory=threading.Lock)

    def anchor(self) -> None:
        """Sign the ledger's head into every anchor file.

        Whoever waits for another thread that anchors reads the head after it, and so anchors what
        all others have committed meanwhile: those need not wait as well.

        Raises LedgerError, and signs nothing, when the ledger does not continue its anchors, or
        when they are gone although it says that they were begun.
        """
        if not self._next.acquire(blocking=False):
            return
        try:
            self._at_work.acquire()
        finally:
            self._next.release()
        try:
            self._anchor()
        finally:
            self._at_work.release()

    def require(self) -> None:
        """Before anything rests on the record: nothing that was anchored has been cut off it.

        Raises LedgerError when the ledger does not continue its anchors.
        """
        self.notary.require(self.store)

    def _anchor(self) -> None:
        with self.store.snapshot() as tx:
            now = tx.now()
        if self.store.head() is None:
            return
        missing = [str(file.path) for file in self.notary.files if not file.begun]
        if missing or not self.begun:
            self._begin(missing)
        self.notary.anchor(self.store, now=now)

    def begin_anew(self, *, by: Caller, reason: str) -> None:
        """A person says that lost anchors begin again, and why."""
        missing = [str(file.path) for file in self.notary.files if not file.begun]
        if not missing:
            raise UsageError(
                "no anchors are missing", remedy="`stanch audit verify` says how far they reach"
            )
        with self.store.transaction() as tx:
            _record(tx, by, {"files": missing, "reason": reason, **by.trace})
            now = tx.now()
        self.notary.anchor(self.store, now=now)

    def _begin(self, missing: list[str]) -> None:
        with self.store.transaction() as tx:
            before = tx.ledger.newest(BEGUN)
            if before is None:
                files = [str(file.path) for file in self.notary.files]
                _record(tx, SYSTEM, {"files": files})
            elif missing:
                raise AnchorsGoneError(missing[0])
        self.begun = True


class AnchorsGoneError(LedgerError):
    """The record says that anchors were begun, and they are not there."""

    def __init__(self, path: str) -> None:
        super().__init__(
            f"TAMPERED: the anchors {path} are gone: without them a record that was cut or put "
            "back looks whole",
            remedy="bring the file back from its copy; if it is lost for good, "
            "`stanch audit anchor --begin` begins anew, on the record",
        )


def gone(tx: Transaction, notary: Notary) -> tuple[str, ...]:
    """The anchors that were begun on the record and are not there."""
    try:
        if tx.ledger.newest(BEGUN) is None:
            return ()
        return tuple(f"the anchors {file.path} are gone" for file in notary.files if not file.begun)
    except StanchError as error:
        return (str(error).removeprefix("TAMPERED: "),)


def _record(tx: Transaction, by: Caller, detail: dict[str, object]) -> None:
    tx.ledger.append(
        Event(at=tx.now(), actor=by.actor, action=BEGUN, incident=None, detail=detail)  # type: ignore[arg-type]  # JSON by construction
    )

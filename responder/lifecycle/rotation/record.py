"""What is written down of rotations, and what was written last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from stanch.responder.domain.json import JsonValue
from stanch.responder.domain.ports import Store
from stanch.responder.domain.timeline import Event
from stanch.responder.lifecycle.model.access import Asker
from stanch.responder.lifecycle.model.reference import Reference

LOOKED_BACK = timedelta(days=400)


class Mark(StrEnum):
    """How far a rotation or a revocation is, in the order in which it comes that far."""

    BEGUN = "rotation.begun"
    PENDING = "rotation.pending"
    DONE = "rotation.done"
    ROLLED_BACK = "rotation.rolled_back"
    RETIRED = "rotation.retired"
    REVOKING = "revocation.begun"
    REVOKED = "revocation.done"
    RESTORED = "revocation.undone"

    @property
    def of_rotation(self) -> bool:
        """Whether it says how far a rotation is."""
        return self.startswith("rotation.")


class RotationRecord(Protocol):
    """If it cannot be written, it raises and the rotation goes no further."""

    def write(
        self, mark: Mark, reference: Reference, by: Asker, detail: Mapping[str, JsonValue]
    ) -> datetime:
        """Write it down for good; when that was."""

    def newest(self, reference: Reference) -> Event | None:
        """The last that was written of this secret's rotations."""


class LedgerRotations:
    """The port over the ledger: ``rotation.begun``, ``rotation.done`` and so on."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def write(
        self, mark: Mark, reference: Reference, by: Asker, detail: Mapping[str, JsonValue]
    ) -> datetime:
        """One entry, committed before this returns."""
        told: dict[str, JsonValue] = {
            "reference": str(reference.current),
            "account": by.account,
            "where": by.where,
            "why": by.why,
            **detail,
        }
        with self._store.transaction() as tx:
            now = tx.now()
            tx.ledger.append(Event(at=now, actor=by.actor, action=mark, incident=None, detail=told))
        return now

    def newest(self, reference: Reference) -> Event | None:
        """Raises Tampered when the record is not whole."""
        wanted = str(reference.current)
        with self._store.snapshot() as tx:
            since = tx.now() - LOOKED_BACK
            found = [
                (event.at, number, event)
                for number, mark in enumerate(Mark)
                if mark.of_rotation
                for event in tx.ledger.since(mark, since)
                if event.detail.get("reference") == wanted
            ]
        return max(found, key=lambda each: each[:2])[2] if found else None

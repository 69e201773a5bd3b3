"""Accesses in the tamper-evident record."""

from __future__ import annotations

from stanch.responder.domain.ports import Store
from stanch.responder.domain.timeline import Event
from stanch.responder.lifecycle.model.access import Access


class LedgerAccessLog:
    """The port over the ledger: an access that cannot be recorded does not happen."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def record(self, access: Access) -> None:
        """One entry, ``secret.given``, ``secret.refused``, …, committed before this returns."""
        with self._store.transaction() as tx:
            tx.ledger.append(
                Event(
                    at=access.at,
                    actor=access.asker.actor,
                    action=f"secret.{access.outcome}",
                    incident=None,
                    detail=access.words,
                )
            )

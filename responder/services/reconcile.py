"""Finds what a dead worker or a lost message left behind, and rings for it."""

from __future__ import annotations

from dataclasses import dataclass

from stanch.responder.domain.ports import Doorbell, Errand, Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """The database is the truth: whatever is due there gets a ring. Ringing twice is harmless."""

    store: Store
    doorbell: Doorbell

    def sweep(self) -> int:
        """Ring for every due run, overdue approval and waiting errand; returns how many."""
        with self.store.transaction() as tx:
            now = tx.now()
            rings = {(Errand.ADVANCE, str(run)) for run in tx.runs.due(now)}
            rings |= {(Errand.ADVANCE, str(a.run)) for a in tx.approvals.overdue(now)}
            rings |= {(m.errand, m.subject) for m in tx.outbox.waiting(now)}
        for errand, subject in sorted(rings):
            self.doorbell.ring(errand, subject)
        return len(rings)

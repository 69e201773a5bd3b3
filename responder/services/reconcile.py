"""Finds what a dead worker or a lost message left behind, and rings for it."""

from __future__ import annotations

from dataclasses import dataclass

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.caller import SYSTEM
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.engine.decision import closed
from stanch.responder.services.response import Responses
from stanch.responder.services.shredding import needless, shred


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciler:
    """The database is the truth: whatever is due there gets a ring. Ringing twice is harmless."""

    store: Store
    doorbell: Doorbell
    responses: Responses

    def sweep(self) -> int:
        """Ring for what is due, and take up what nobody has; returns how many rings that took.

        Looks without the writers' lock: a sweep that finds nothing to change changes nothing.
        """
        with self.store.snapshot() as tx:
            now = tx.now()
            runs = tx.runs.due(now)
            overdue = tx.approvals.overdue(now)
            dead = [a for a in overdue if not _works(tx, a)]
            rings = {(Errand.ADVANCE, str(a.run)) for a in overdue if a not in dead}
            rings |= {(m.errand, m.subject) for m in tx.outbox.waiting(now)}
            spent = needless(tx, self.responses.planner.steps)
            alone = [i.id for i in tx.incidents.unanswered() if self.responses.runbook(i)]
        rings |= {(errand, str(run)) for run in runs for errand in (Errand.CONTAIN, Errand.ADVANCE)}
        if spent:
            self._shred()
        for approval in dead:
            self._expire(approval)
        for incident in alone:
            self._answer(incident)
        # Containment is rung for first.
        for errand, subject in sorted(rings, key=lambda r: (list(Errand).index(r[0]), r[1])):
            self.doorbell.ring(errand, subject)
        return len(rings) + len(alone)

    def _answer(self, incident_id: IncidentId) -> None:
        """An incident without a run: somebody died between the two, or its runbook is new."""
        with self.store.transaction() as tx:
            still = next((i for i in tx.incidents.unanswered() if i.id == incident_id), None)
            run = None if still is None else self.responses.start(tx, still, SYSTEM, report=True)
            tx.outbox.put(Errand.NOTIFY, str(incident_id))
        if run is not None:
            self.responses.wake(run)

    def _shred(self) -> None:
        """What nothing needs any more, looked at again under the lock."""
        with self.store.transaction() as tx:
            for spent in needless(tx, self.responses.planner.steps):
                shred(
                    tx,
                    spent.kept,
                    incident=spent.incident,
                    actor=SYSTEM.actor,
                    why=spent.why,
                )

    def _expire(self, approval: Approval) -> None:
        """A question of a run that does not work any more: no worker will close it."""
        with self.store.transaction() as tx:
            now = tx.now()
            found = tx.approvals.get(approval.id)
            if found is None or found.decision is not Decision.OPEN or found.expires_at > now:
                return
            closed(tx, found, Decision.EXPIRED, now, "nobody answered in time")


def _works(tx: Transaction, approval: Approval) -> bool:
    run = tx.runs.get(approval.run)
    return run is not None and run.state.works

"""What becomes durable at each point of an attempt, and what it means for the incident.

One method, one transaction: the step's row, the incident, the record and the errand to tell people
commit together. If the record cannot be written, nothing is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stanch.responder.domain.claim import Validity, read_claim
from stanch.responder.domain.error import Retryable
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.domain.run import Run, RunKind, StepRun, StepState
from stanch.responder.domain.runbook import Phase, Runbook
from stanch.responder.domain.step import NotYet
from stanch.responder.domain.timeline import Event

LONGEST_PAUSE = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Writes what happened to a step."""

    store: Store
    doorbell: Doorbell
    changing: frozenset[str]  # names of the steps that change the world

    def intended(self, run: Run, row: StepRun, params: JsonObject) -> StepRun:
        """The intent is durable before anything is looked at or done."""
        with self.store.transaction() as tx:
            now = tx.now()
            row = replace(row, params=params, intended_at=now)
            tx.runs.write(row)
            if row.uses in self.changing:
                _record(tx, run, row, "step.intended", {"params": params}, now)
        return row

    def absent(self, row: StepRun, before: JsonObject) -> StepRun:
        """The effect was not there; what follows is ours."""
        with self.store.transaction() as tx:
            row = replace(row, absent_at=tx.now(), before=before)
            tx.runs.write(row)
        return row

    def acted(self, run: Run, row: StepRun, evidence: JsonObject) -> StepRun:
        """The act was answered."""
        with self.store.transaction() as tx:
            now = tx.now()
            row = replace(row, acted_at=now, evidence=evidence, tries=0)
            tx.runs.write(row)
            _record(tx, run, row, "step.acted", evidence, now)
            self._containment_requested(tx, run, now)
        return row

    def found(self, run: Run, row: StepRun, evidence: JsonObject) -> StepRun:
        """Somebody else had done it already; undo will leave it alone."""
        with self.store.transaction() as tx:
            now = tx.now()
            row = replace(row, acted_at=now, evidence={**evidence, "already": True})
            tx.runs.write(row)
            _record(tx, run, row, "step.found", row.evidence, now)
            self._containment_requested(tx, run, now)
        return row

    def done(self, run: Run, row: StepRun, runbook: Runbook) -> None:
        """A fresh look showed the effect."""
        with self.store.transaction() as tx:
            now = tx.now()
            row = replace(
                row,
                state=StepState.DONE,
                finished_at=now,
                lease_until=None,
                due_at=None,
                error=None,
            )
            tx.runs.write(row)
            _record(tx, run, row, "step.verified", row.evidence, now)
            if run.kind is RunKind.RESPOND:
                _advance_incident(tx, run, row, runbook, now)
            self._tell(tx, run.incident)
        self.doorbell.ring(Errand.NOTIFY, str(run.incident))

    def failed(self, run: Run, row: StepRun, why: str, remedy: str) -> None:
        """A person must look."""
        with self.store.transaction() as tx:
            now = tx.now()
            tx.runs.write(
                replace(
                    row,
                    state=StepState.FAILED,
                    finished_at=now,
                    lease_until=None,
                    due_at=None,
                    error=why,
                    remedy=remedy,
                )
            )
            _record(tx, run, row, "step.failed", {"why": why, "remedy": remedy}, now)
            self._tell(tx, run.incident)
        self.doorbell.ring(Errand.NOTIFY, str(run.incident))

    def wait(self, run: Run, row: StepRun, later: NotYet, limit: timedelta) -> None:
        """The world has not settled: look again, but not for ever."""
        now, why, after = self._now(), later.why, later.after
        expected = row.intended_at if later.until is None else later.until
        if expected is not None and now - expected > limit:
            self.failed(
                run,
                row,
                f"not settled after {limit}: {why}",
                "look at the service yourself, then `stanch respond` the incident again",
            )
            return
        self._due(row, now + after, why, tries=row.tries)

    def again(self, row: StepRun, error: Retryable) -> None:
        """Throttled or unreachable: back off, longer each time."""
        pause = min(error.after * (2 ** min(row.tries, 6)), LONGEST_PAUSE)
        self._due(row, self._now() + pause, str(error), tries=row.tries + 1)

    def _due(self, row: StepRun, due_at: datetime, why: str, *, tries: int) -> None:
        with self.store.transaction() as tx:
            tx.runs.write(
                replace(
                    row,
                    state=StepState.WAITING,
                    due_at=due_at,
                    lease_until=None,
                    error=why,
                    tries=tries,
                )
            )

    def _now(self) -> datetime:
        with self.store.transaction() as tx:
            return tx.now()

    def _containment_requested(self, tx: Transaction, run: Run, now: datetime) -> None:
        """The first clock stops when every containing change has been answered."""
        if run.kind is not RunKind.RESPOND:
            return
        waiting = (
            step
            for step in tx.runs.steps(run.id)
            if step.phase is Phase.CONTAIN and step.uses in self.changing and step.acted_at is None
        )
        incident = _locked(tx, run.incident)
        if incident.containment_requested_at is None and _none(waiting):
            tx.incidents.save(replace(incident, containment_requested_at=now))
            self._tell(tx, run.incident)

    def _tell(self, tx: Transaction, incident: IncidentId) -> None:
        tx.outbox.put(Errand.NOTIFY, str(incident))


def _none(steps: Iterable[StepRun]) -> bool:
    return next(iter(steps), None) is None


def _advance_incident(
    tx: Transaction, run: Run, row: StepRun, runbook: Runbook, now: datetime
) -> None:
    incident = _locked(tx, run.incident)
    claim = read_claim(row.evidence)
    if claim is None or claim.validity is Validity.LIVE:
        return
    if row.id == runbook.contained_by and not incident.state.over:
        moved = replace(incident, state=IncidentState.CONTAINED, containment_verified_at=now)
        action = "incident.contained"
    elif row.id == runbook.proven_dead_by and claim.proven:
        moved = replace(incident, state=IncidentState.PROVEN_DEAD, proven_dead_at=now)
        action = "incident.proven_dead"
    else:
        return
    tx.incidents.save(moved)
    _record(tx, run, row, action, {"runbook": runbook.id, "claim": claim.as_json()}, now)


def _locked(tx: Transaction, incident: IncidentId) -> Incident:
    """The incident, locked: steps that run in parallel both write to it."""
    found = tx.incidents.get(incident)
    locked = tx.incidents.by_fingerprint(found.fingerprint) if found else None
    if locked is None:
        raise LookupError(f"incident {incident} vanished from the store")
    return locked


def _record(  # the facts of one entry
    tx: Transaction, run: Run, row: StepRun, action: str, detail: JsonObject, now: datetime
) -> None:
    tx.ledger.append(
        Event(
            at=now,
            actor="system",
            action=action,
            incident=run.incident,
            detail={"run": run.id, "step": row.id, "uses": row.uses, **detail},
        )
    )

"""What becomes durable at each point of an attempt, and what it means for the incident.

One method, one transaction: the step's row, the incident, the record and the errand to tell people
commit together. If the record cannot be written, nothing is. A run that a person has stopped takes
no word any more, except how an act that was under way has ended.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeVar

from stanch.responder.domain.claim import Validity, read_claim
from stanch.responder.domain.error import LeaseLost, StoreError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.domain.run import Run, RunKind, StepRun, StepState
from stanch.responder.domain.runbook import Phase, Runbook
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.stop import hand_back
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

LONGEST_PAUSE = timedelta(seconds=30)

T = TypeVar("T")
Then = Callable[[Transaction], list[T]]
"""Looks, in the transaction that ends a step, what follows on it."""


class _NotClaimedError(Exception):
    """What follows on a step could not be claimed in the transaction that ends it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """Writes what happened to a step."""

    store: Store
    doorbell: Doorbell
    changing: frozenset[str]  # names of the steps that change the world

    def intended(self, tx: Transaction, run: Run, row: StepRun, params: JsonObject) -> StepRun:
        """The intent is durable, with the claim, before anything is looked at or done."""
        now = tx.now()
        row = replace(row, params=params, intended_at=now)
        tx.runs.write(row)
        if row.uses in self.changing:
            _record(tx, run, row, "step.intended", {"params": params}, now)
        return row

    def begun(self, run: Run, row: StepRun, before: JsonObject, lease: timedelta) -> StepRun:
        """The last word before the act: the effect is not there, so what follows is ours.

        The store is asked for the lease in the same transaction: a paused process must not trust
        its memory. Raises LeaseLost when the step is another's by now or the run was stopped.
        """
        with self.store.transaction() as tx:
            now = tx.now()
            if _stopped(tx, row) is None:
                if row.absent_at is None:
                    row = replace(row, absent_at=now, before=before)
                tx.runs.write(row)
                tx.runs.renew(row, until=now + lease)
                self._lifted(tx, run, row, now)
                return row
            _give_back(tx, row)
        raise LeaseLost(f"run {run.id} was stopped")

    def refused(self, row: StepRun) -> None:
        """The act was refused before it changed anything: if its effect shows, it is another's.

        Else taking back what we did would take back what somebody else has done meanwhile.
        """
        with self.store.transaction() as tx:
            if _stopped(tx, row) is None:
                tx.runs.write(replace(row, absent_at=None, before={}))

    def acted(
        self, run: Run, row: StepRun, evidence: JsonObject, *, answered: bool = True
    ) -> StepRun:
        """The act was answered; else its effect was seen, and the record does not say "acted".

        This is told even of a run that was stopped meanwhile.
        """
        with self.store.transaction() as tx:
            now = tx.now()
            row = replace(row, acted_at=now, evidence=evidence, tries=0)
            tx.runs.write(row)
            _record(tx, run, row, "step.acted" if answered else "step.seen", evidence, now)
            stopped = _stopped(tx, row)
            if stopped is None:
                self._containment_requested(tx, run, now)
            else:
                _give_back(tx, row)
        if stopped is not None:
            raise LeaseLost(f"run {run.id} is {stopped.state}")
        return row

    def found(self, run: Run, row: StepRun, evidence: JsonObject) -> StepRun:
        """Somebody else had done it already; undo will leave it alone."""
        with self.store.transaction() as tx:
            now = tx.now()
            row = replace(row, acted_at=now, evidence={**evidence, "already": True})
            tx.runs.write(row)
            _record(tx, run, row, "step.found", row.evidence, now)
            self._containment_requested(tx, run, now)
            self._lifted(tx, run, row, now)
        return row

    def done(self, run: Run, row: StepRun, runbook: Runbook, then: Then[T]) -> list[T]:
        """A fresh look showed the effect; ``then`` claims what follows, in the same transaction.

        Where that cannot be, the step is done all the same: whoever comes next finds out why.
        """
        try:
            return self._done(run, row, runbook, then)
        except _NotClaimedError as error:
            log.info("step.nothing_follows", step=row.id, run=run.id, why=repr(error.__cause__))
            return self._done(run, row, runbook, lambda _: [])

    def _done(self, run: Run, row: StepRun, runbook: Runbook, then: Then[T]) -> list[T]:
        with self.store.transaction() as tx:
            if _stopped(tx, row) is not None:
                _give_back(tx, row)
                return []
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
            moved = run.kind is RunKind.RESPOND and _advance_incident(tx, run, row, runbook, now)
            self._tell(tx, run.incident)
            try:
                after = then(tx)
            except StoreError:
                raise
            except Exception as error:
                raise _NotClaimedError from error
        if moved:  # the rest can wait for the sweep: a card is not drawn for every step
            self.doorbell.ring(Errand.NOTIFY, str(run.incident))
        return after

    def failed(
        self, run: Run, row: StepRun, why: str, remedy: str, wake: timedelta | None = None
    ) -> None:
        """A person must look. With ``wake`` it is tried again by itself after that time."""
        with self.store.transaction() as tx:
            if _stopped(tx, row) is not None:
                _give_back(tx, replace(row, error=why, remedy=remedy))
                return
            now = tx.now()
            tx.runs.write(
                replace(
                    row,
                    state=StepState.FAILED,
                    finished_at=now,
                    lease_until=None,
                    due_at=None if wake is None else now + wake,
                    error=why,
                    remedy=remedy,
                )
            )
            _record(tx, run, row, "step.failed", {"why": why, "remedy": remedy}, now)
            self._tell(tx, run.incident)
        self.doorbell.ring(Errand.NOTIFY, str(run.incident))

    def again(self, row: StepRun, why: str, after: timedelta) -> None:
        """Throttled or unreachable: back off, longer each time."""
        pause = min(after * (2 ** min(row.tries, 6)), LONGEST_PAUSE)
        self.later(row, pause, why, tries=row.tries + 1)

    def later(self, row: StepRun, after: timedelta, why: str | None, *, tries: int) -> None:
        """Look again after a while."""
        with self.store.transaction() as tx:
            if tries and why != row.error:
                self._tell(tx, _run(tx, row).incident)  # people see that it is stuck
            row = replace(row, error=why, tries=tries)
            if _stopped(tx, row) is not None:
                _give_back(tx, row)
                return
            tx.runs.write(
                replace(row, state=StepState.WAITING, due_at=tx.now() + after, lease_until=None)
            )

    def _containment_requested(self, tx: Transaction, run: Run, now: datetime) -> None:
        """The first clock stops when every containing change has been answered."""
        if run.kind is not RunKind.RESPOND:
            return
        containing = [
            step
            for step in tx.runs.steps(run.id)
            if step.phase is Phase.CONTAIN and step.uses in self.changing
        ]
        waiting = (
            step
            for step in containing
            if step.acted_at is None and step.state is not StepState.OMITTED
        )
        incident = _locked(tx, run.incident)
        asked = incident.containment_requested_at is not None
        if containing and not asked and _none(waiting):
            tx.incidents.save(replace(incident, containment_requested_at=now))
            self._tell(tx, run.incident)

    def _lifted(self, tx: Transaction, run: Run, row: StepRun, now: datetime) -> None:
        """Nothing is called contained any more from the moment at which that is taken back."""
        if run.kind is not RunKind.UNDO or row.phase is not Phase.CONTAIN:
            return
        incident = _locked(tx, run.incident)
        claimed = incident.state is not IncidentState.OPEN or incident.containment_requested_at
        if incident.state is IncidentState.CLOSED or not claimed:
            return
        tx.incidents.save(
            replace(
                incident,
                state=IncidentState.OPEN,
                containment_requested_at=None,
                containment_verified_at=None,
                proven_dead_at=None,
            )
        )
        _record(tx, run, row, "incident.containment_lifted", {}, now)
        self._tell(tx, run.incident)

    def _tell(self, tx: Transaction, incident: IncidentId) -> None:
        tx.outbox.put(Errand.NOTIFY, str(incident))


def _stopped(tx: Transaction, row: StepRun) -> Run | None:
    """The step's run when it takes no more work, as it stands now."""
    run = tx.runs.get(row.run)
    return None if run is None or run.state.works else run


def _run(tx: Transaction, row: StepRun) -> Run:
    run = tx.runs.get(row.run)
    if run is None:
        raise LookupError(f"run {row.run} vanished from the store")
    return run


def _give_back(tx: Transaction, row: StepRun) -> None:
    tx.runs.write(row)  # LeaseLost when it is not ours any more
    run = tx.runs.get(row.run)
    if run is not None:
        hand_back(tx, row, run.state)


def _none(steps: Iterable[StepRun]) -> bool:
    return next(iter(steps), None) is None


def _advance_incident(
    tx: Transaction, run: Run, row: StepRun, runbook: Runbook, now: datetime
) -> bool:
    """Whether this step's success moved the incident on."""
    incident = _locked(tx, run.incident)
    if run.episode != incident.regressions or incident.state is IncidentState.CLOSED:
        return False  # it answers an older leak: what it proves is not true of this one
    claim = read_claim(row.evidence)
    if claim is None or claim.validity is not Validity.DEAD:
        return False
    if row.id == runbook.contained_by and not incident.state.over:
        moved = replace(incident, state=IncidentState.CONTAINED, containment_verified_at=now)
        action = "incident.contained"
    elif row.id == runbook.proven_dead_by and claim.proven:
        moved = replace(incident, state=IncidentState.PROVEN_DEAD, proven_dead_at=now)
        action = "incident.proven_dead"
    else:
        return False
    tx.incidents.save(moved)
    _record(tx, run, row, action, {"runbook": runbook.id, "claim": claim.as_json()}, now)
    return True


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

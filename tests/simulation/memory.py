"""The port ``Store`` in memory: what the contract says of SQLite and PostgreSQL,
but a hundred times faster.

The contract tests hold it against the same claims. ``trouble`` is asked before and after every
commit, so that a simulation can break or kill there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from stanch.responder.domain.error import LeaseLost, StoreError
from stanch.responder.domain.ids import IncidentId, RunId, label
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.run import Run, RunState, StepRun, StepState
from stanch.responder.domain.timeline import Entry
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.column import clean
from tests.simulation.table import (
    MemoryApprovals,
    MemoryCards,
    MemoryEnvelopes,
    MemoryIntegrity,
    MemoryLedger,
    MemoryLocks,
    MemoryOutbox,
    MemoryPaces,
    Tables,
)


class MemoryIncidents:
    """The port ``Incidents``."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def by_fingerprint(self, fingerprint: str) -> Incident | None:
        found = (i for i in self._t.incidents.values() if i.fingerprint == fingerprint)
        return next(found, None)

    def get(self, incident: IncidentId) -> Incident | None:
        return self._t.incidents.get(incident)

    def list(self, states: Sequence[IncidentState] = ()) -> tuple[Incident, ...]:
        rows = sorted(self._t.incidents.values(), key=lambda i: -i.id)
        return tuple(i for i in rows if not states or i.state in states)

    def next_id(self) -> IncidentId:
        return IncidentId(self._t.take("incident"))

    def add(self, incident: Incident) -> None:
        if incident.id in self._t.incidents or self.by_fingerprint(incident.fingerprint):
            raise StoreError("the store refused a change that contradicts it", remedy="repeat")
        self._t.incidents[incident.id] = incident

    def save(self, incident: Incident) -> Incident:
        kept = self._t.incidents.get(incident.id)
        if kept is None or kept.version != incident.version:
            raise StoreError(f"{label(incident.id)} changed since it was read", remedy="repeat")
        saved = replace(incident, version=incident.version + 1)
        self._t.incidents[incident.id] = saved
        return saved

    def expose(self, incident: IncidentId, exposure: Exposure) -> bool:
        exposure = replace(exposure, path=clean(exposure.path))
        known = self._t.exposures.get(incident, ())
        if any(seen.place == exposure.place for seen in known):
            return False
        self._t.exposures[incident] = (*known, exposure)
        return True

    def exposures(self, incident: IncidentId) -> tuple[Exposure, ...]:
        rows = self._t.exposures.get(incident, ())
        return tuple(sorted(rows, key=lambda e: e.exposed_at or e.found_at))

    def unanswered(self) -> tuple[Incident, ...]:
        answered = {(r.incident, r.episode) for r in self._t.runs.values()}
        return tuple(
            i
            for i in sorted(self._t.incidents.values(), key=lambda i: i.id)
            if i.state is IncidentState.OPEN and (i.id, i.regressions) not in answered
        )


class MemoryRuns:
    """The port ``Runs``."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def add(self, run: Run, steps: Sequence[StepRun]) -> None:
        if run.id in self._t.runs:
            raise StoreError("the store refused a change that contradicts it", remedy="repeat")
        self.save(run)
        self.grow(steps)

    def get(self, run: RunId) -> Run | None:
        return self._t.runs.get(run)

    def of(self, incident: IncidentId) -> tuple[Run, ...]:
        rows = [r for r in self._t.runs.values() if r.incident == incident]
        return tuple(sorted(rows, key=lambda r: (r.started_at, r.id)))

    def open(self) -> tuple[Run, ...]:
        rows = [r for r in self._t.runs.values() if r.finished_at is None]
        return tuple(sorted(rows, key=lambda r: (r.started_at, r.id)))

    def active(self, incident: IncidentId) -> Run | None:
        rows = (r for r in self._t.runs.values() if r.incident == incident)
        return next((r for r in rows if r.finished_at is None), None)

    def save(self, run: Run) -> None:
        other = self.active(run.incident)
        if run.finished_at is None and other is not None and other.id != run.id:
            raise StoreError("the store refused a change that contradicts it", remedy="repeat")
        self._t.runs[run.id] = run

    def steps(self, run: RunId) -> tuple[StepRun, ...]:
        rows = [s for (owner, _), s in self._t.steps.items() if owner == run]
        return tuple(sorted(rows, key=lambda s: (s.position, s.id)))

    def claim(self, run: RunId, step: str, *, now: datetime, lease: timedelta) -> StepRun | None:
        row = self._t.steps.get((run, step))
        if row is None or not _claimable(row, now):
            return None
        taken = replace(row, state=StepState.RUNNING, token=row.token + 1, lease_until=now + lease)
        self._t.steps[run, step] = taken
        return taken

    def grow(self, steps: Sequence[StepRun]) -> None:
        for step in steps:
            self._t.steps[step.run, step.id] = step

    def fence(self, step: StepRun) -> StepRun:
        row = self._t.steps[step.run, step.id]
        fenced = replace(row, token=row.token + 1)
        self._t.steps[step.run, step.id] = fenced
        return fenced

    def renew(self, step: StepRun, *, until: datetime) -> None:
        row = self._held(step)
        if row.state is StepState.RUNNING:
            self._t.steps[step.run, step.id] = replace(row, lease_until=until)

    def write(self, step: StepRun) -> None:
        row = self._held(step)
        leases = [at for at in (step.lease_until, row.lease_until) if at is not None]
        if step.state is StepState.RUNNING and leases:
            step = replace(step, lease_until=max(leases))
        self._t.steps[step.run, step.id] = step

    def held(self, now: datetime) -> tuple[StepRun, ...]:
        running = [s for s in self._t.steps.values() if s.state is StepState.RUNNING]
        return tuple(s for s in running if s.lease_until is not None and s.lease_until > now)

    def due(self, now: datetime) -> tuple[RunId, ...]:
        rows = sorted(self._t.runs.values(), key=lambda r: (r.started_at, r.id))
        return tuple(run.id for run in rows if self._is_due(run, now))

    def _is_due(self, run: Run, now: datetime) -> bool:
        steps = self.steps(run.id)
        if run.state is RunState.FAILED:
            failed = (s.due_at for s in steps if s.state is StepState.FAILED)
            if any(at is not None and at <= now for at in failed):
                return True
        left = [s for s in steps if not s.state.over]
        if not run.state.works:
            return any(s.state is StepState.RUNNING and _claimable(s, now) for s in left)
        return not left or any(_claimable(s, now) for s in left)

    def _held(self, step: StepRun) -> StepRun:
        row = self._t.steps.get((step.run, step.id))
        if row is None or row.token != step.token:
            raise LeaseLost(f"step {step.id!r} of run {step.run} has a newer holder")
        return row


def _claimable(step: StepRun, now: datetime) -> bool:
    match step.state:
        case StepState.PENDING | StepState.BLOCKED:
            return True
        case StepState.WAITING:
            return step.due_at is None or step.due_at <= now
        case StepState.RUNNING:
            return step.lease_until is None or step.lease_until <= now
        case _:
            return False


class MemoryTransaction:
    """The port ``Transaction`` over one copy of the tables."""

    def __init__(self, tables: Tables, seal: LedgerSeal, clock: Callable[[], datetime]) -> None:
        self.incidents = MemoryIncidents(tables)
        self.runs = MemoryRuns(tables)
        self.approvals = MemoryApprovals(tables)
        self.outbox = MemoryOutbox(tables)
        self.cards = MemoryCards(tables)
        self.locks = MemoryLocks(tables)
        self.paces = MemoryPaces(tables)
        self.ledger = MemoryLedger(tables, seal)
        self.envelopes = MemoryEnvelopes(tables)
        self.integrity = MemoryIntegrity()
        self._clock = clock

    def now(self) -> datetime:
        return self._clock()


def _no_trouble(when: str) -> None:
    del when


class MemoryStore:
    """The port ``Store``, for one thread."""

    def __init__(
        self,
        *,
        seal: LedgerSeal,
        clock: Callable[[], datetime],
        trouble: Callable[[str], None] = _no_trouble,
    ) -> None:
        self.tables = Tables()
        self._seal = seal
        self._clock = clock
        self._trouble = trouble
        self._inside = False

    @contextmanager
    def transaction(self) -> Iterator[MemoryTransaction]:
        if self._inside:
            raise RuntimeError("this thread has a transaction already; pass it on instead")
        self._trouble("before")
        mine, entries = self.tables.copy(), len(self.tables.ledger)
        self._inside = True
        try:
            yield MemoryTransaction(mine, self._seal, self._clock)
            self._trouble("at")
        except BaseException:
            del mine.ledger[entries:]
            raise
        finally:
            self._inside = False
        self.tables = mine
        self._trouble("after")

    def head(self) -> Entry | None:
        return self.tables.ledger[-1] if self.tables.ledger else None

    def entry(self, seq: int) -> Entry | None:
        return next((e for e in self.tables.ledger if e.seq == seq), None)

    @contextmanager
    def snapshot(self) -> Iterator[MemoryTransaction]:
        yield MemoryTransaction(self.tables, self._seal, self._clock)

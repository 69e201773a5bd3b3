"""Advances a run: claims what is ready, works on it, and says when to look again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from stanch.responder.domain.error import LeaseLost, LedgerError, StanchError, StoreError
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, StepState
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.attempt import Attempt, Job
from stanch.responder.engine.dispatch import Dispatch
from stanch.responder.engine.lease import Leases
from stanch.responder.engine.pin import pinned
from stanch.responder.engine.ready import ready
from stanch.responder.engine.revive import may_wake, revive
from stanch.responder.engine.stop import hand_back, lapsed
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

TURN = 16  # steps that one message brings on, before it is another run's turn
PARALLEL = 4  # steps of one run at a time; a runbook rarely has more that do not depend
AT_ONCE = timedelta(0)
# How soon to look again whether an act of an earlier run, or the holder of a lock, is through.
SOON = timedelta(milliseconds=300)
# A run whose other steps rest for longer than this waits for the person whom it has asked.
LONG = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """Where a run stands: what is free now, in which lanes, and when there will be more."""

    free: tuple[StepRun, ...]
    later: datetime | None
    state: RunState
    lanes: frozenset[Errand]


@dataclass(slots=True, kw_only=True)
class Turn:
    """What one message brings on: so many steps of a run, a few of them at a time."""

    run: RunId
    lane: Errand | None
    left: int
    under_way: int = 1
    rings: list[tuple[Errand, str]] = field(default_factory=list)  # once it is committed


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Brings runs forward. Any number of executors may advance the same run at once."""

    store: Store
    dispatch: Dispatch
    runbooks: Mapping[str, Runbook]
    attempt: Attempt
    doorbell: Doorbell
    leases: Leases
    parallel: int = PARALLEL
    turn: int = TURN
    gives_way: Callable[[], bool] = lambda: False  # whether containment waits for the processor

    def advance(self, run: RunId, lane: Errand | None = None) -> timedelta | None:
        """Take the steps that are ready and those that follow on them, up to ``turn`` of them.

        Then it is others' turn: zero means that there is more to do now, else it is how long until
        there is more, None for never. ``lane`` CONTAIN takes only what containment needs, ADVANCE
        only the rest; what the other lane could do is rung for. A run that does not exist or is
        over is left alone: messages may be old or repeated.
        """
        try:
            jobs = self._take(run, lane)
            self._work(jobs, Turn(run=run, lane=lane, left=self.turn - len(jobs)))
            return self._settle(run, lane, worked=bool(jobs))
        except (StoreError, LedgerError, LeaseLost):
            raise  # the sweep comes back
        except Exception as error:
            # A run that cannot go on must be seen by a person, not raise at every sweep.
            log.exception("run.stuck", run=run)
            self._fail(run, error)
            return None

    def _work(self, jobs: list[Job], turn: Turn) -> None:
        """Until nothing follows: no step waits for those that are done beside it."""
        while len(jobs) == 1:
            jobs = self._attempt(jobs[0], turn)
        if not jobs:
            return
        with ThreadPoolExecutor(self.parallel) as pool:
            under_way = {pool.submit(self._attempt, job, turn) for job in jobs}
            while under_way:
                turn.under_way = len(under_way)
                ended, under_way = wait(under_way, return_when=FIRST_COMPLETED)
                after = [job for each in ended for job in each.result()]
                under_way |= {pool.submit(self._attempt, job, turn) for job in after}

    def _attempt(self, job: Job, turn: Turn) -> list[Job]:
        """Work on a step; what follows on it, claimed."""
        self.leases.hold(job.step, job.limit)
        try:
            return self.attempt.run(job, self.leases, partial(self._go_on, turn=turn))
        except LeaseLost:
            # Somebody else has the step and will finish it; what we did, they will observe.
            return []
        finally:
            self.leases.release(job.step)
            while turn.rings:
                self.doorbell.ring(*turn.rings.pop())

    def _go_on(self, tx: Transaction, *, turn: Turn) -> list[Job]:
        """What a step that is done means for its run, and what follows on it, claimed."""
        run = tx.runs.get(turn.run)
        if run is None or not run.state.works:
            return []
        room = min(turn.left, self.parallel - turn.under_way + 1)
        jobs: list[Job] = []
        if room > 0 and not (turn.lane is Errand.ADVANCE and self.gives_way()):
            jobs = self.dispatch.jobs(tx, run, turn.lane, most=room, lease=self.leases.length)
            turn.left -= len(jobs)
        stand = self._stand(tx, run)
        if self._restate(tx, run, stand.state):
            turn.rings.append((Errand.NOTIFY, str(run.incident)))
        others = stand.lanes - {turn.lane} if turn.lane else ()
        turn.rings += [(lane, run.id) for lane in sorted(others)]
        return jobs

    def _take(self, run_id: RunId, lane: Errand | None) -> list[Job]:
        with self.store.snapshot() as tx:
            if not self._has_work(tx, run_id, lane):
                return []
        with self.store.transaction() as tx:
            run = tx.runs.get(run_id)
            if run is None:
                return []
            for step in lapsed(tx, run):
                hand_back(tx, step, run.state)
            if may_wake(tx, run):
                revive(tx, run, actor="system")
                run = tx.runs.get(run_id) or run
            if not run.state.works:
                return []
            return self.dispatch.jobs(tx, run, lane, most=self.parallel, lease=self.leases.length)

    def _has_work(self, tx: Transaction, run_id: RunId, lane: Errand | None) -> bool:
        """A look without the writers' lock: most rings find nothing to do in their lane."""
        run = tx.runs.get(run_id)
        if run is None:
            return False
        if not run.state.works:
            return may_wake(tx, run) or bool(lapsed(tx, run))
        lanes = self._stand(tx, run).lanes
        return bool(lanes) and (lane is None or lane in lanes)

    def _settle(self, run_id: RunId, lane: Errand | None, *, worked: bool) -> timedelta | None:
        """Store what the steps mean for the run; say when to come back, and ring for the rest."""
        with self.store.snapshot() as tx:
            run = tx.runs.get(run_id)
            if run is None or not run.state.works:
                return None
            stand, now = self._stand(tx, run), tx.now()
        if stand.state is not run.state:
            with self.store.transaction() as tx:
                newest = tx.runs.get(run_id)
                if newest and newest.state.works:
                    self._restate(tx, newest, self._stand(tx, newest).state)
            self.doorbell.ring(Errand.NOTIFY, str(run.incident))
        if stand.state.over:
            return None
        # Only who has done something rings for the other queue, or two idle ones would ring each
        # other for ever; containment alone is always rung for.
        for other in sorted(stand.lanes - {lane}) if lane else ():
            if worked or other is Errand.CONTAIN:
                self.doorbell.ring(other, run_id)
        if stand.lanes and (lane is None or lane in stand.lanes):
            return AT_ONCE if worked else SOON
        return None if stand.later is None else max(stand.later - now, AT_ONCE)

    def _stand(self, tx: Transaction, run: Run) -> Stand:
        steps = tx.runs.steps(run.id)
        runbook = pinned(run, self.runbooks)
        able, later = ready(run, runbook, steps, tx.now())
        quiet = self.dispatch.questions.quiet
        free = tuple(step for step in able if not quiet(tx, run, runbook, step))
        now = tx.now()
        soon = later is not None and later - now <= LONG
        state = RunState.RUNNING if free or soon else self._state(steps, now)
        lanes = frozenset(self.dispatch.lane(run, runbook, step) for step in free)
        return Stand(free=free, later=later, state=state, lanes=lanes)

    def _restate(self, tx: Transaction, run: Run, state: RunState) -> bool:
        """Whether the run has come into another state."""
        if state is run.state:
            return False
        now = tx.now()
        tx.runs.save(replace(run, state=state, finished_at=now if state.over else None))
        _finish(tx, run, state, now)
        tx.outbox.put(Errand.NOTIFY, str(run.incident))
        return True

    def _state(self, steps: tuple[StepRun, ...], now: datetime) -> RunState:
        """What is aside counts once the rest has come to its end, and a no to it is an answer."""
        known = self.dispatch.planner.steps
        rows = [s for s in steps if not _stands_for_others(s)]
        aside = [s for s in rows if s.uses in known and known[s.uses].spec.aside]
        first = _state([s for s in rows if s not in aside], now)
        return _aside(aside, now) if first is RunState.DONE else first

    def _fail(self, run_id: RunId, error: Exception) -> None:
        """The run cannot be advanced: the step that is next says why, on the card."""
        if isinstance(error, StanchError):
            why, remedy = str(error), error.remedy
        else:
            why = f"the run cannot go on: {type(error).__name__}"
            remedy = "report it with the log; what was done so far is on the record"
        with self.store.transaction() as tx:
            run = tx.runs.get(run_id)
            if run is None or not run.state.works:
                return
            now = tx.now()
            waiting = [s for s in tx.runs.steps(run_id) if not s.state.over]
            for step in waiting[:1]:
                fenced = replace(step, token=tx.runs.fence(step).token)
                tx.runs.write(
                    replace(
                        fenced,
                        state=StepState.FAILED,
                        finished_at=now,
                        lease_until=None,
                        due_at=None,
                        error=why,
                        remedy=remedy,
                    )
                )
            tx.runs.save(replace(run, state=RunState.FAILED, finished_at=now))
            _record(tx, run.incident, "run.failed", {"run": run.id, "why": why}, now)
            tx.outbox.put(Errand.NOTIFY, str(run.incident))
        self.doorbell.ring(Errand.NOTIFY, str(run.incident))


def _state(steps: Sequence[StepRun], now: datetime) -> RunState:
    states = {step.state for step in steps} - {StepState.OMITTED}
    asked = StepState.BLOCKED in states and not states & {StepState.FAILED, StepState.SKIPPED}
    waits = [s for s in steps if s.state is StepState.WAITING and not (asked and _rests(s, now))]
    if StepState.RUNNING in states or waits:
        return RunState.RUNNING
    if StepState.FAILED in states:
        return RunState.FAILED
    if StepState.SKIPPED in states:
        return RunState.ABORTED
    if StepState.BLOCKED in states:
        return RunState.WAITING_APPROVAL
    return RunState.RUNNING if StepState.PENDING in states else RunState.DONE


def _aside(steps: Sequence[StepRun], now: datetime) -> RunState:
    """Each copy is for itself: of one that failed or was refused the others do not hear."""
    states = {step.state for step in steps}
    asked = StepState.BLOCKED in states
    waits = [s for s in steps if s.state is StepState.WAITING and not (asked and _rests(s, now))]
    if StepState.RUNNING in states or waits:
        return RunState.RUNNING
    if asked:
        return RunState.WAITING_APPROVAL
    if StepState.FAILED in states:
        return RunState.FAILED
    left = StepState.PENDING in states and StepState.SKIPPED not in states
    return RunState.RUNNING if left else RunState.DONE


def _stands_for_others(step: StepRun) -> bool:
    """It was repeated, and waits for the rows that it was repeated for: those count."""
    return step.state is StepState.WAITING and "elements" in step.cursor


def _rests(step: StepRun, now: datetime) -> bool:
    """It waits for so long that a person who is asked is not kept waiting for it."""
    return step.due_at is not None and step.due_at - now > LONG


def _finish(tx: Transaction, run: Run, state: RunState, now: datetime) -> None:
    incident = tx.incidents.get(run.incident)
    if incident is None:
        return
    _record(tx, run.incident, f"run.{state.value.replace('-', '_')}", {"run": run.id}, now)
    if run.kind is RunKind.UNDO and state is RunState.DONE:
        tx.incidents.save(
            replace(
                incident,
                state=IncidentState.OPEN,
                containment_requested_at=None,
                containment_verified_at=None,
                proven_dead_at=None,
            )
        )


def _record(
    tx: Transaction,
    incident: IncidentId,
    action: str,
    detail: Mapping[str, str],
    now: datetime,
) -> None:
    tx.ledger.append(Event(at=now, actor="system", action=action, incident=incident, detail=detail))

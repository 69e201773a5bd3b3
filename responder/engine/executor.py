"""Advances a run: claims what is ready, works on it in parallel, and says when to look again."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.error import LeaseLost, RunbookError
from stanch.responder.domain.ids import ApprovalId, RunId
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, StepState
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.attempt import Attempt, Job
from stanch.responder.engine.gate import Gate, gate
from stanch.responder.engine.lease import Leases
from stanch.responder.engine.planner import Planner, outputs_of

PARALLEL = 4  # steps of one run at a time; a runbook rarely has more that do not depend


@dataclass(frozen=True, slots=True, kw_only=True)
class Executor:
    """Brings runs forward. Any number of executors may advance the same run at once."""

    store: Store
    planner: Planner
    runbooks: Mapping[str, Runbook]
    attempt: Attempt
    doorbell: Doorbell
    lease: timedelta

    def advance(self, run: RunId) -> datetime | None:
        """Do all that can be done now; returns when there will be more to do, None if never.

        A run that does not exist or is over is left alone: messages may be old or repeated.
        """
        with Leases(self.store, self.lease) as leases, ThreadPoolExecutor(PARALLEL) as pool:
            working: set[Future[None]] = set()
            while True:
                working |= {pool.submit(self._work, job, leases) for job in self._claim(run)}
                if not working:
                    return self._settle(run)
                finished, working = wait(working, return_when=FIRST_COMPLETED)
                for future in finished:
                    future.result()

    def _work(self, job: Job, leases: Leases) -> None:
        leases.hold(job.step)
        try:
            self.attempt.run(job, leases)
        except LeaseLost:
            # Somebody else has the step and will finish it; what we did, they will observe.
            return
        finally:
            leases.release(job.step)

    def _claim(self, run_id: RunId) -> list[Job]:
        jobs = []
        with self.store.transaction() as tx:
            run = tx.runs.get(run_id)
            incident = tx.incidents.get(run.incident) if run else None
            if run is None or incident is None or run.state.over:
                return []
            runbook = self._runbook(run)
            steps = tx.runs.steps(run_id)
            outputs = outputs_of(steps)
            now = tx.now()
            for step in _ready(steps, now):
                if step.approval and not self._may_go(tx, run, incident, step, runbook, now):
                    continue
                params = self.planner.params(step, outputs)
                if params is None:
                    raise RunbookError(
                        f"step {step.id!r} refers to an output that its step did not give",
                        remedy="`stanch runbooks check` names the line",
                    )
                claimed = tx.runs.claim(run_id, step.id, now=now, lease=self.lease)
                if claimed is not None:
                    jobs.append(
                        Job(
                            incident=incident,
                            run=run,
                            runbook=runbook,
                            step=claimed,
                            params=claimed.params or params,
                            born_in=_born_in(tx, run),
                        )
                    )
        for job in jobs:
            self.attempt.trace(job.step.id, "claimed")
        return jobs

    def _runbook(self, run: Run) -> Runbook:
        if run.runbook not in self.runbooks:
            raise RunbookError(
                f"run {run.id} follows runbook {run.runbook!r}, which is not installed",
                remedy=f"put it back; installed: {', '.join(sorted(self.runbooks))}",
            )
        return self.runbooks[run.runbook]

    def _may_go(  # the facts of the gate
        self,
        tx: Transaction,
        run: Run,
        incident: Incident,
        step: StepRun,
        runbook: Runbook,
        now: datetime,
    ) -> bool:
        """Judge the step's approval; ask, expire or stop as its policy says."""
        policy = runbook.policies[step.approval or ""]
        digest = self.planner.hash(
            step, incident=incident, runbook=runbook, outputs=outputs_of(tx.runs.steps(run.id))
        )
        asked = tx.approvals.of(run.id)
        verdict = gate(asked, step=step.id, plan_hash=digest, silence=policy.silence, now=now)
        _expire(tx, asked, step, digest, now)
        if verdict is Gate.GO:
            return True
        if verdict is Gate.ASK:
            tx.approvals.add(
                Approval(
                    id=ApprovalId(secrets.token_hex(8)),
                    incident=incident.id,
                    run=run.id,
                    step=step.id,
                    plan_hash=digest,
                    policy=policy.id,
                    group=policy.group,
                    requester=run.requester,
                    asked_at=now,
                    expires_at=now + policy.expires,
                )
            )
            _record(tx, incident, "approval.asked", {"step": step.id, "plan": digest}, now)
        state = StepState.SKIPPED if verdict is Gate.STOP else StepState.BLOCKED
        if step.state is not state:
            tx.runs.write(replace(step, state=state, finished_at=now if state.over else None))
            tx.outbox.put(Errand.NOTIFY, str(incident.id))
        return False

    def _settle(self, run_id: RunId) -> datetime | None:
        """Nothing can be done now: store what that means, say when to come back."""
        with self.store.transaction() as tx:
            run = tx.runs.get(run_id)
            if run is None or run.state.over:
                return None
            steps = tx.runs.steps(run_id)
            now = tx.now()
            state = _state(steps)
            if state is not run.state:
                tx.runs.save(replace(run, state=state, finished_at=now if state.over else None))
                _finish(tx, run, state, now)
                tx.outbox.put(Errand.NOTIFY, str(run.incident))
            due = [t for s in steps if not s.state.over for t in (s.due_at, s.lease_until) if t]
        self.doorbell.ring(Errand.NOTIFY, str(run.incident))
        return None if state.over else min(due, default=None)


def _ready(steps: tuple[StepRun, ...], now: datetime) -> Iterable[StepRun]:
    done = {step.id for step in steps if step.state is StepState.DONE}
    for step in steps:
        if step.state.over or not done.issuperset(step.after):
            continue
        if step.state is StepState.WAITING and step.due_at and step.due_at > now:
            continue
        if step.state is StepState.RUNNING and step.lease_until and step.lease_until > now:
            continue
        yield step


def _born_in(tx: Transaction, run: Run) -> tuple[RunId, ...]:
    """An undo may use what the runs before it sealed; any other run only its own."""
    if run.kind is not RunKind.UNDO:
        return (run.id,)
    return tuple(reversed([r.id for r in tx.runs.of(run.incident)]))


def _expire(
    tx: Transaction, asked: tuple[Approval, ...], step: StepRun, digest: str, now: datetime
) -> None:
    """Close what can no longer be answered: past its time, or asked for another plan."""
    for approval in asked:
        if approval.step != step.id or approval.decision is not Decision.OPEN:
            continue
        if approval.plan_hash != digest:
            tx.approvals.save(replace(approval, decision=Decision.VOID, decided_at=now))
        elif now >= approval.expires_at:
            tx.approvals.save(replace(approval, decision=Decision.EXPIRED, decided_at=now))
            tx.outbox.put(Errand.NOTIFY, str(approval.incident))


def _state(steps: tuple[StepRun, ...]) -> RunState:
    states = {step.state for step in steps}
    if StepState.RUNNING in states or StepState.WAITING in states:
        return RunState.RUNNING
    if StepState.FAILED in states:
        return RunState.FAILED
    if StepState.SKIPPED in states:
        return RunState.ABORTED
    if StepState.BLOCKED in states:
        return RunState.WAITING_APPROVAL
    return RunState.DONE if states == {StepState.DONE} else RunState.RUNNING


def _finish(tx: Transaction, run: Run, state: RunState, now: datetime) -> None:
    incident = tx.incidents.get(run.incident)
    if incident is None:
        return
    _record(tx, incident, f"run.{state.value.replace('-', '_')}", {"run": run.id}, now)
    if run.kind is RunKind.UNDO and state is RunState.DONE:
        tx.incidents.save(
            replace(
                incident,
                state=IncidentState.OPEN,
                containment_requested_at=None,
                containment_verified_at=None,
            )
        )


def _record(
    tx: Transaction, incident: Incident, action: str, detail: Mapping[str, str], now: datetime
) -> None:
    tx.ledger.append(
        Event(at=now, actor="system", action=action, incident=incident.id, detail=detail)
    )

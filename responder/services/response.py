"""Starting, resuming and taking back runs."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, RunId, label
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.plan import Plan
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, StepState
from stanch.responder.domain.runbook import Phase, Runbook
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.planner import Planner, step_runs
from stanch.responder.engine.reversal import reversal


@dataclass(frozen=True, slots=True, kw_only=True)
class Responses:
    """The use cases around a run. The name of who asks is what approvals compare."""

    store: Store
    planner: Planner
    runbooks: Mapping[str, Runbook]
    doorbell: Doorbell

    def runbook(self, incident: Incident) -> Runbook | None:
        """The runbook for this kind of credential, if there is one."""
        return next(
            (
                book
                for book in self.runbooks.values()
                if (book.provider, book.kind) == (incident.provider, incident.kind)
            ),
            None,
        )

    def respond(self, incident_id: IncidentId, *, by: Caller) -> RunId | None:
        """Start the runbook, or take up an unfinished run where it stopped.

        Failed steps are tried again; an expired approval is asked for again. None when there is no
        runbook for this kind of credential.
        """
        with self.store.transaction() as tx:
            incident = _reopened(tx, _incident(tx, incident_id), by)
            runs = tx.runs.of(incident_id)
            current = runs[-1] if runs else None
            if current is not None and _goes_on(current, incident):
                self._take_up(tx, current, by)
                run_id = current.id
            else:
                runbook = self.runbook(incident)
                if runbook is None:
                    return None
                run_id = _new_id()
                run = Run(
                    id=run_id,
                    incident=incident.id,
                    kind=RunKind.RESPOND,
                    runbook=runbook.id,
                    runbook_version=runbook.version,
                    state=RunState.RUNNING,
                    requester=by.name,
                    started_at=tx.now(),
                )
                self._add(tx, run, step_runs(runbook, run_id), by)
        self.doorbell.ring(Errand.ADVANCE, run_id)
        return run_id

    def undo(self, incident_id: IncidentId, *, by: Caller) -> RunId:
        """Take back what the newest run did; raises UsageError when nothing can be."""
        with self.store.transaction() as tx:
            _reopened(tx, _incident(tx, incident_id), by)
            runs = [r for r in tx.runs.of(incident_id) if r.kind is RunKind.RESPOND]
            if not runs:
                raise UsageError(
                    f"{label(incident_id)} has no run that could be undone",
                    remedy=f"`stanch incidents {label(incident_id)}` shows where it stands",
                )
            original = runs[-1]
            run_id = _new_id()
            rows = reversal(
                tx.runs.steps(original.id), self.planner.steps, incident=incident_id, run=run_id
            )
            if not original.state.over:
                abort(tx, original)
            run = replace(
                original,
                id=run_id,
                kind=RunKind.UNDO,
                state=RunState.RUNNING,
                requester=by.name,
                started_at=tx.now(),
                finished_at=None,
            )
            self._add(tx, run, rows, by)
        self.doorbell.ring(Errand.ADVANCE, run_id)
        return run_id

    def plan(self, incident_id: IncidentId) -> Plan:
        """What responding would do, or what is left to do. Touches nothing."""
        with self.store.transaction() as tx:
            incident = _incident(tx, incident_id)
            runbook = self.runbook(incident)
            if runbook is None:
                raise UsageError(
                    f"no runbook handles {incident.provider} {incident.kind}",
                    remedy="`stanch runbooks list` shows what there is; docs/runbooks.md adds one",
                )
            runs = [r for r in tx.runs.of(incident_id) if r.kind is RunKind.RESPOND]
            rows = tx.runs.steps(runs[-1].id) if runs else step_runs(runbook, RunId("plan"))
        return self.planner.plan(incident, runbook, rows)

    def _add(self, tx: Transaction, run: Run, rows: tuple[StepRun, ...], by: Caller) -> None:
        tx.runs.add(run, rows)
        tx.ledger.append(
            Event(
                at=run.started_at,
                actor=by.actor,
                action="run.started",
                incident=run.incident,
                detail={
                    "run": run.id,
                    "kind": run.kind,
                    "runbook": run.runbook,
                    "version": run.runbook_version,
                    **by.trace,
                },
            )
        )

    def _take_up(self, tx: Transaction, run: Run, by: Caller) -> None:
        now = tx.now()
        for step in tx.runs.steps(run.id):
            if step.state is StepState.FAILED:
                tx.runs.write(
                    replace(
                        step,
                        state=StepState.PENDING,
                        error=None,
                        remedy=None,
                        tries=0,
                        intended_at=None if step.absent_at is None else now,
                        finished_at=None,
                    )
                )
            elif step.state in {StepState.BLOCKED, StepState.SKIPPED}:
                _ask_again(tx, run, step)
            elif run.state is RunState.DONE and step.phase is Phase.AUDIT:
                tx.runs.write(_anew(step))
        tx.runs.save(replace(run, state=RunState.RUNNING, requester=by.name, finished_at=None))
        tx.ledger.append(
            Event(
                at=now,
                actor=by.actor,
                action="run.resumed",
                incident=run.incident,
                detail={"run": run.id, **by.trace},
            )
        )


def _anew(step: StepRun) -> StepRun:
    """A proof that left something uncovered looks again; what undo must know stays."""
    return replace(
        step,
        state=StepState.PENDING,
        params=None,
        tries=0,
        intended_at=None,
        acted_at=None,
        finished_at=None,
        outputs={},
    )


def abort(tx: Transaction, run: Run) -> None:
    """End a run where it stands; what it asked can no longer be answered."""
    for step in tx.runs.steps(run.id):
        if not step.state.over:
            tx.runs.write(replace(step, state=StepState.SKIPPED))
    for approval in tx.approvals.of(run.id):
        if approval.decision in {Decision.OPEN, Decision.EXPIRED}:
            tx.approvals.save(replace(approval, decision=Decision.VOID, decided_at=tx.now()))
    tx.runs.save(replace(run, state=RunState.ABORTED, finished_at=tx.now()))


def _reopened(tx: Transaction, incident: Incident, by: Caller) -> Incident:
    """Who goes on with a closed incident opens it again."""
    if incident.state is not IncidentState.CLOSED:
        return incident
    tx.ledger.append(
        Event(
            at=tx.now(),
            actor=by.actor,
            action="incident.taken_up",
            incident=incident.id,
            detail=by.trace,
        )
    )
    return tx.incidents.save(incident.taken_up())


def _goes_on(run: Run, incident: Incident) -> bool:
    """An unfinished response is taken up; after an undo or a regression a new one starts."""
    return (
        run.kind is RunKind.RESPOND
        and (run.state is not RunState.DONE or incident.state is IncidentState.CONTAINED)
        and run.started_at >= incident.detected_at
    )


def _ask_again(tx: Transaction, run: Run, step: StepRun) -> None:
    """Old answers count no more; the gate will ask anew. An open question stays open."""
    for approval in tx.approvals.of(run.id):
        closed = approval.decision in {Decision.EXPIRED, Decision.DENIED}
        overdue = approval.decision is Decision.OPEN and approval.expires_at <= tx.now()
        if approval.step == step.id and (closed or overdue):
            tx.approvals.save(replace(approval, decision=Decision.VOID))
    if step.state is StepState.SKIPPED:
        tx.runs.write(replace(step, state=StepState.BLOCKED, finished_at=None))


def _incident(tx: Transaction, incident: IncidentId) -> Incident:
    found = tx.incidents.get(incident)
    if found is None:
        raise UsageError(
            f"there is no incident {label(incident)}", remedy="`stanch incidents` lists them"
        )
    return found


def _new_id() -> RunId:
    return RunId(secrets.token_hex(13))

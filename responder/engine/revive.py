"""Taking a run up again: by a person, or because containment must not give up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Errand, Transaction
from stanch.responder.domain.run import (
    Run,
    RunKind,
    RunState,
    StepRun,
    StepState,
    pending_undo,
)
from stanch.responder.domain.runbook import BLAST, Phase
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.decision import closed
from stanch.responder.engine.limit import TRIGGER


def revive(
    tx: Transaction,
    run: Run,
    *,
    actor: str,
    requester: str | None = None,
    trace: JsonObject | None = None,
) -> None:
    """Failed steps are tried again, what was left out is taken, expired questions are asked anew.

    With ``requester`` None only what failed and was to be tried again by itself (it has a due
    time) goes on; nobody's question is asked again for that. Whether reports contain too much is
    no question any more once a person asks for this incident.
    """
    now = tx.now()
    for step in tx.runs.steps(run.id):
        if step.state is StepState.FAILED and (requester or step.due_at):
            tx.runs.write(_afresh(step, now))
        elif requester and step.state in {StepState.BLOCKED, StepState.SKIPPED}:
            _ask_again(tx, run, step)
        elif requester and run.state is RunState.DONE and step.phase is Phase.AUDIT:
            tx.runs.write(_anew(step))
    if requester and TRIGGER not in (trace or {}):
        for approval in tx.approvals.of(run.id):
            if (approval.policy, approval.decision) == (BLAST, Decision.OPEN):
                closed(tx, approval, Decision.VOID, now, f"{requester} asks for it")
    state = run.state if run.state is RunState.PAUSED and requester is None else RunState.RUNNING
    tx.runs.save(replace(run, state=state, requester=requester or run.requester, finished_at=None))
    tx.outbox.put(Errand.NOTIFY, str(run.incident))
    tx.ledger.append(
        Event(
            at=now,
            actor=actor,
            action="run.resumed",
            incident=run.incident,
            detail={"run": run.id, **(trace or {})},
        )
    )


def _afresh(step: StepRun, now: datetime) -> StepRun:
    """The step with all its tries; what it did and found is kept."""
    return replace(
        step,
        state=StepState.PENDING,
        error=None,
        remedy=None,
        tries=0,
        due_at=None,
        intended_at=None if step.absent_at is None else now,
        finished_at=None,
        cursor={k: v for k, v in step.cursor.items() if k != "unsettled"},
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
        cursor={},
    )


def may_wake(tx: Transaction, run: Run) -> bool:
    """Whether a failed containment may go on by itself: nothing newer has taken its place."""
    if run.state is not RunState.FAILED:
        return False
    runs = [r for r in tx.runs.of(run.incident) if not pending_undo(r, tx.runs.steps(r.id))]
    incident = tx.incidents.get(run.incident)
    now = tx.now()
    return (
        bool(runs)
        and runs[-1].id == run.id
        and tx.runs.active(run.incident) is None
        and incident is not None
        and (incident.state is IncidentState.OPEN or run.kind is RunKind.UNDO)
        and incident.state is not IncidentState.CLOSED
        and any(
            step.state is StepState.FAILED and step.due_at is not None and step.due_at <= now
            for step in tx.runs.steps(run.id)
        )
    )


def _ask_again(tx: Transaction, run: Run, step: StepRun) -> None:
    """Old answers count no more; the gate will ask anew. An open question stays open."""
    for approval in tx.approvals.of(run.id):
        answered = approval.decision in {Decision.EXPIRED, Decision.DENIED}
        overdue = approval.decision is Decision.OPEN and approval.expires_at <= tx.now()
        if approval.step == step.id and (answered or overdue):
            closed(tx, approval, Decision.VOID, tx.now(), "it is asked again")
    if step.state is StepState.SKIPPED:
        waits = StepState.BLOCKED if step.approval else StepState.PENDING
        tx.runs.write(replace(step, state=waits, finished_at=None))

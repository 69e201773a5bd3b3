"""Taking work out of workers' hands: pause, cancel, undo and closing all end here.

The token of every step that is not over is raised, so that whoever holds it can write no more and
therefore not begin an act. One exception: a step in the middle of its act keeps its token, because
how the act ended must be known. Its holder writes that down and hands the step back; until then, or
until its lease lapses, nothing else works on the incident (``Executor``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Transaction
from stanch.responder.domain.run import Run, RunState, StepRun, StepState
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.decision import closed


def stop(
    tx: Transaction, run: Run, state: RunState, *, actor: str, trace: JsonObject | None = None
) -> Run:
    """Bring a run that is not over into ``state`` (paused, cancelled or aborted)."""
    now = tx.now()
    for step in tx.runs.steps(run.id):
        if not step.state.over and not step.acting(now):
            hand_back(tx, step, state)
    if state.over:
        void(tx, run, now)
    stopped = replace(run, state=state, finished_at=now if state.over else None)
    tx.runs.save(stopped)
    tx.ledger.append(
        Event(
            at=now,
            actor=actor,
            action=f"run.{state}",
            incident=run.incident,
            detail={"run": run.id, **(trace or {})},
        )
    )
    return stopped


def hand_back(tx: Transaction, step: StepRun, state: RunState) -> None:
    """Nobody holds the step any more; in a run that is over it is left out.

    A step that waits for an answer, or for its time, goes on waiting while the run is paused.
    """
    fenced = replace(step, token=tx.runs.fence(step).token, lease_until=None)
    if state.over:
        ended = tx.now()
        fenced = replace(fenced, state=StepState.SKIPPED, due_at=None, finished_at=ended)
    elif step.state is StepState.RUNNING:
        fenced = replace(fenced, state=StepState.PENDING)
    tx.runs.write(fenced)


def void(tx: Transaction, run: Run, now: datetime) -> None:
    """What the run asked can no longer be answered."""
    for approval in tx.approvals.of(run.id):
        if approval.decision in {Decision.OPEN, Decision.EXPIRED}:
            closed(tx, approval, Decision.VOID, now, "the run that asked is over")


def in_the_way(tx: Transaction, run: Run, now: datetime) -> bool:
    """Whether an earlier run of the incident may still be in the middle of an act."""
    return any(
        step.acting(now)
        for other in tx.runs.of(run.incident)
        if other.id != run.id
        for step in tx.runs.steps(other.id)
    )


def lapsed(tx: Transaction, run: Run) -> tuple[StepRun, ...]:
    """What dead workers still hold of a run that was stopped: nobody will hand it back."""
    if run.state.works:
        return ()
    now = tx.now()
    return tuple(
        step
        for step in tx.runs.steps(run.id)
        if step.state is StepState.RUNNING and (step.lease_until is None or step.lease_until <= now)
    )


def sweep_up(tx: Transaction, run: Run) -> None:
    """Fence what dead workers left of earlier runs: they must not wake up and write."""
    for other in tx.runs.of(run.incident):
        if other.id == run.id or not other.state.over:
            continue
        for step in tx.runs.steps(other.id):
            if step.state is StepState.RUNNING:
                hand_back(tx, step, other.state)

"""Which steps of a run can be taken now, and when to look again. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from stanch.responder.domain.run import Run, RunKind, StepRun, StepState
from stanch.responder.domain.runbook import Runbook, RunbookStep


def ready(
    run: Run, runbook: Runbook, steps: tuple[StepRun, ...], now: datetime
) -> tuple[tuple[StepRun, ...], datetime | None]:
    """The steps that can be taken, and the earliest moment at which another one can."""
    rows = {step.id: step for step in steps}
    taken: list[StepRun] = []
    later: list[datetime] = []
    for step in steps:
        if step.state.over:
            continue
        at = _free_at(step, line(run, runbook, step), rows, run)
        if at is None:
            continue
        if at <= now:
            taken.append(step)
        else:
            later.append(at)
    return tuple(taken), min(later, default=None)


def line(run: Run, runbook: Runbook, step: StepRun) -> RunbookStep | None:
    """What the runbook says of a row; nothing for what an undo adds."""
    return runbook.step(step.id) if run.kind is RunKind.RESPOND else None


def elements(step: StepRun, rows: Mapping[str, StepRun]) -> Iterator[StepRun]:
    """The rows that a step with ``each:`` was repeated for."""
    return (row for name, row in rows.items() if name.startswith(f"{step.id}["))


def _free_at(
    step: StepRun,
    line: RunbookStep | None,
    rows: Mapping[str, StepRun],
    run: Run,
) -> datetime | None:
    """When the step is free; None while that depends on others."""
    if not all(name in rows and rows[name].state.passed for name in step.after):
        return None
    if "elements" in step.cursor and not all(e.state.over for e in elements(step, rows)):
        return None
    since = max(
        (rows[name].finished_at or run.started_at for name in step.after), default=run.started_at
    )
    moments = [since]
    if step.state is StepState.RUNNING:
        moments.append(step.lease_until or since)
    elif step.state is StepState.WAITING:
        moments.append(step.due_at or since)
    elif step.state in {StepState.PENDING, StepState.BLOCKED} and step.due_at is not None:
        moments.append(step.due_at)
    if line is not None and step.intended_at is None:
        moments.append(since + (line.wait or timedelta(0)))
        for name, patience in line.within.items():
            if name in rows and not rows[name].state.over:
                moments.append(since + patience)
    return max(moments)

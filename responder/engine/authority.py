"""What a run may rest on: the record and the pinned runbook, never a row alone.

Whoever may write to the database, but does not hold the ledger's key, can put rows there. Before a
worker takes a step, everything that decides what it will do is compared with what cannot be put
there: the entry that started the run, the runbook whose digest that entry holds, the marks on the
rows. What does not agree is Tampered: nothing is called, and the run fails where people see it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from stanch.responder.domain.error import Tampered
from stanch.responder.domain.ids import label
from stanch.responder.domain.ports import Transaction
from stanch.responder.domain.run import Run, RunKind, StepRun
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.timeline import Event

_ENDS = frozenset({"run.paused", "run.cancelled", "run.aborted"})
_BEGINS = frozenset({"run.started", "run.resumed"})


def require_rows(tx: Transaction, run: Run) -> None:
    """The rows of the incident, this run and those it goes back to are as we wrote them."""
    for suspect in tx.integrity.suspects(run.incident):
        other = suspect.run not in {None, run.id} and run.kind is not RunKind.UNDO
        if suspect.table == "exposures" or other:
            continue  # nothing that this run does rests on it
        raise Tampered(f"{label(run.incident)}: {suspect} was not written by this installation")


def require_run(run: Run, events: Iterable[Event]) -> None:
    """The record says that this run was started, with this runbook, and not stopped since."""
    mine = [event for event in events if event.detail.get("run") == run.id]
    started = next((event for event in mine if event.action == "run.started"), None)
    name = f"{label(run.incident)}: run {run.id}"
    if started is None:
        raise Tampered(f"{name} was never started on the record")
    said = started.detail
    if (said.get("kind"), said.get("digest", "")) != (run.kind, run.digest):
        raise Tampered(f"{name} was started with another runbook")
    last = [event.action for event in mine if event.action in _ENDS | _BEGINS][-1]
    if last in _ENDS:
        raise Tampered(f"{name} works, but on the record it is {last.partition('.')[2]}")


def require_runbook(run: Run, runbook: Runbook, rows: Sequence[StepRun]) -> None:
    """Each row is a step of the runbook, with its calls and its approval, and none is missing."""
    name = f"{label(run.incident)}: run {run.id}"
    for row in rows:
        said = runbook.step(row.id)
        if said is None or (said.id != row.id and (said.each is None or row.item is None)):
            raise Tampered(f"{name} has a step {row.id!r} that its runbook does not have")
        if (row.uses, dict(row.template), row.after, row.approval, row.phase) != (
            said.uses,
            dict(said.params),
            said.after,
            said.approval,
            said.phase,
        ):
            raise Tampered(f"{name} step {row.id!r} is not what its runbook says")
    there = {row.id for row in rows}
    missing = [step.id for step in runbook.steps if step.id not in there]
    if missing:
        raise Tampered(f"{name} lacks the step {missing[0]!r} of its runbook")


def require_reversal(run: Run, rows: Sequence[StepRun], wanted: Mapping[str, StepRun]) -> None:
    """Each row of an undo takes back what a run did, and nothing else."""
    for row in rows:
        said = wanted.get(row.id)
        if said is None or (row.uses, dict(row.template), row.approval) != (
            said.uses,
            dict(said.template),
            said.approval,
        ):
            name = f"{label(run.incident)}: run {run.id}"
            raise Tampered(f"{name} step {row.id!r} takes back nothing that was done")

"""Before people are asked: what a step saw may be more by now, so it looks once more.

A trail is late, and a question may be asked again hours after it was read. Who decides should see
what is known when they are asked, not when the run began.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from stanch.responder.domain.run import StepRun, StepState
from stanch.responder.domain.step import Step

FRESH = timedelta(minutes=1)  # what was seen since then is news enough


def stale(
    asked: StepRun, rows: Sequence[StepRun], steps: Mapping[str, Step], now: datetime
) -> tuple[StepRun, ...]:
    """The rows that must look again before ``asked`` is asked about, as they then stand.

    Those whose step says that it ``grows``, and what rests on them; none while their last word is
    fresh. What they found stays on the card until it is found anew, and what undo must know stays.
    """
    known = {row.id: row for row in rows}
    before = _before(asked, known)
    again = [
        row
        for row in rows
        if row.id in before
        and row.state is StepState.DONE
        and "elements" not in row.cursor
        and _rests_on_growth(row, known, steps)
    ]
    newest = max((row.finished_at for row in again if row.finished_at), default=None)
    if newest is None or now - newest <= FRESH:
        return ()
    return tuple(_anew(row) for row in again)


def _before(asked: StepRun, rows: Mapping[str, StepRun]) -> set[str]:
    """The names of the rows that the question comes after, directly or not."""
    found: set[str] = set()
    open_ = list(asked.after)
    while open_:
        name = open_.pop()
        if name in rows and name not in found:
            found.add(name)
            open_.extend(rows[name].after)
    return found


def _rests_on_growth(row: StepRun, rows: Mapping[str, StepRun], steps: Mapping[str, Step]) -> bool:
    chain = [row, *(rows[name] for name in _before(row, rows))]
    return any(each.uses in steps and steps[each.uses].spec.grows for each in chain)


def _anew(row: StepRun) -> StepRun:
    return replace(
        row,
        state=StepState.PENDING,
        params=None,
        tries=0,
        due_at=None,
        intended_at=None,
        acted_at=None,
        finished_at=None,
        cursor={},
    )

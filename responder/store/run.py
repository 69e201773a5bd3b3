"""Runs and steps in tables: who may work on a step, and who may not any more."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, insert, literal, or_, select, update

from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.run import Run, RunState, StepRun, StepState
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.claim import claimable, fenced, renewal, take
from stanch.responder.store.column import Instant
from stanch.responder.store.mark import Marked
from stanch.responder.store.row import build, values
from stanch.responder.store.table import runs, steps


def _claimable(now: datetime) -> ColumnElement[bool]:
    return claimable(steps, now, (StepState.PENDING, StepState.BLOCKED))


def _is(run: RunId, step: str) -> ColumnElement[bool]:
    return and_(steps.c.run == run, steps.c.id == step)


class SqlRuns:
    """The port ``Runs`` over one connection."""

    def __init__(self, connection: Connection, seal: LedgerSeal) -> None:
        self._connection = connection
        self._runs = Marked(connection, runs, seal)
        self._steps = Marked(connection, steps, seal)
        self._read: dict[RunId, tuple[StepRun, ...]] = {}  # by us, and not written since

    def add(self, run: Run, steps: Sequence[StepRun]) -> None:
        """Insert a run with all its steps."""
        self._connection.execute(insert(runs).values(self._runs.values(values(run))))
        self.grow(steps)

    def grow(self, steps: Sequence[StepRun]) -> None:
        """Add rows to a run."""
        self._read.clear()
        for step in steps:
            self._connection.execute(insert(_STEPS).values(self._steps.values(values(step))))

    def get(self, run: RunId) -> Run | None:
        """One run."""
        row = self._connection.execute(select(runs).where(runs.c.id == run)).one_or_none()
        return None if row is None else build(Run, row)

    def of(self, incident: IncidentId) -> tuple[Run, ...]:
        """All runs of an incident, oldest first."""
        rows = self._connection.execute(
            select(runs).where(runs.c.incident == incident).order_by(runs.c.started_at, runs.c.id)
        )
        return tuple(build(Run, row) for row in rows)

    def open(self) -> tuple[Run, ...]:
        """Every run that is not over, oldest first."""
        rows = self._connection.execute(
            select(runs).where(runs.c.finished_at.is_(None)).order_by(runs.c.started_at, runs.c.id)
        )
        return tuple(build(Run, row) for row in rows)

    def active(self, incident: IncidentId) -> Run | None:
        """The one run of an incident that is not over; an index allows no second one."""
        row = self._connection.execute(
            select(runs).where(runs.c.incident == incident, runs.c.finished_at.is_(None))
        ).one_or_none()
        return None if row is None else build(Run, row)

    def save(self, run: Run) -> None:
        """Update a run's state."""
        where = runs.c.id == run.id
        row = self._runs.over(where, values(run))
        self._connection.execute(update(runs).where(where).values(row))

    def steps(self, run: RunId) -> tuple[StepRun, ...]:
        """A run's steps by position; read once in a transaction unless it writes one."""
        if run not in self._read:
            rows = self._connection.execute(
                select(steps).where(steps.c.run == run).order_by(steps.c.position, steps.c.id)
            )
            self._read[run] = tuple(build(StepRun, row) for row in rows)
        return self._read[run]

    def claim(self, run: RunId, step: str, *, now: datetime, lease: timedelta) -> StepRun | None:
        """Take the step when it is free; the condition and the taking are one statement."""
        self._read.clear()
        sound = self._steps.sound(_is(run, step))
        free = and_(_is(run, step), _claimable(now))
        if not take(self._connection, steps, free, until=now + lease):
            return None
        self._steps.again(_is(run, step), sound=sound)
        return build(StepRun, self._connection.execute(select(steps).where(_is(run, step))).one())

    def fence(self, step: StepRun) -> StepRun:
        """Raise the token whoever holds it."""
        self._read.clear()
        self._connection.execute(
            update(steps).where(_is(step.run, step.id)).values(token=steps.c.token + 1)
        )
        found = self._connection.execute(select(steps).where(_is(step.run, step.id))).one()
        return build(StepRun, found)

    def renew(self, step: StepRun, *, until: datetime) -> None:
        """Prolong the lease, or raise LeaseLost when ``step.token`` is not the newest.

        A step that its own holder has finished meanwhile is left as it is.
        """
        self._update(step, renewal(steps, until))

    def write(self, step: StepRun) -> None:
        """Store the step as given, or raise LeaseLost when ``step.token`` is not the newest.

        One exception: while the step runs its lease only grows, because ``step`` was read before
        the heartbeat renewed it.
        """
        row = self._steps.over(_is(step.run, step.id), values(step))
        if step.state is StepState.RUNNING and step.lease_until is not None:
            row["lease_until"] = case(
                (steps.c.lease_until > step.lease_until, steps.c.lease_until),
                else_=literal(step.lease_until, Instant()),
            )
        self._update(step, row)

    def _update(self, step: StepRun, row: dict[str, Any]) -> None:
        self._read.clear()
        fenced(self._connection, steps, _is(step.run, step.id), step.token, row)

    def held(self, now: datetime) -> tuple[StepRun, ...]:
        """The steps, of any run, that somebody holds now."""
        rows = self._connection.execute(
            select(steps).where(steps.c.state == StepState.RUNNING, steps.c.lease_until > now)
        )
        return tuple(build(StepRun, row) for row in rows)

    def due(self, now: datetime) -> tuple[RunId, ...]:
        """Runs that work and have a step that could be claimed now, or no step left.

        No step is left when a worker died between the last step and the word that it was the last.
        """
        going = [state for state in RunState if state.works]
        left = [state for state in StepState if not state.over]
        own = select(steps.c.id).where(steps.c.run == runs.c.id)
        rows = self._connection.execute(
            select(runs.c.id)
            .where(
                or_(
                    and_(
                        runs.c.state.in_(going),
                        or_(
                            own.where(_claimable(now)).exists(),
                            ~own.where(steps.c.state.in_(left)).exists(),
                        ),
                    ),
                    and_(
                        runs.c.state.not_in(going),
                        own.where(
                            steps.c.state == StepState.RUNNING, steps.c.lease_until <= now
                        ).exists(),
                    ),
                    and_(
                        runs.c.state == RunState.FAILED,
                        own.where(
                            steps.c.state == StepState.FAILED, steps.c.due_at <= now
                        ).exists(),
                    ),
                )
            )
            .order_by(runs.c.started_at, runs.c.id)
        )
        return tuple(RunId(row.id) for row in rows)


_STEPS = steps  # the parameter of SqlRuns.grow hides the table's name

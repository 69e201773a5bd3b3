"""A command that does the work itself when no worker takes it up."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

import click

from stanch.responder.bootstrap import House
from stanch.responder.domain.error import Retryable, StanchError
from stanch.responder.domain.ids import IncidentId, RunId, label
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Transaction

_AT_ONCE = 4  # runs that are worked on at a time


class Standby:
    """Containment must not wait for a broker to come back or a worker to be started.

    A run that stays due for ``seconds`` while nobody holds a lease on anything is advanced here,
    if this process has an identity at the provider: a step that it may not do would fail, and want
    a person. Leases let any number of hands work on a run, so a worker that comes back only shares
    the work.
    """

    def __init__(self, house: House, *, seconds: float) -> None:
        self._house = house
        self._seconds = seconds
        self._due_since: dict[RunId, float] = {}
        self._ours: set[RunId] = set()
        self._told: set[RunId] = set()
        self._working: dict[RunId, Future[None]] = {}
        self._pool = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="stanch-standby")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._pool.shutdown(wait=True)

    def look(self, incidents: Iterable[IncidentId]) -> None:
        """Take up what has waited too long. Raises what the work of an earlier look raised."""
        for run in [run for run, future in self._working.items() if future.done()]:
            self._working.pop(run).result()
        due = self._due(incidents)
        now = time.monotonic()
        self._due_since = {run: self._due_since.get(run, now) for run in due}
        for run, incident in due.items():
            if run not in self._told and now - self._due_since[run] >= self._seconds:
                self._told.add(run)
                self._take_up(run, incident)
            if run in self._ours and run not in self._working:
                self._working[run] = self._pool.submit(self._advance, run)

    def _advance(self, run: RunId) -> None:
        """Until there is nothing to do at once."""
        while self._house.advance(run) == timedelta(0):
            pass

    def _take_up(self, run: RunId, incident: IncidentId) -> None:
        late = f"no worker has taken up {label(incident)} for {self._seconds:g} s"
        with self._house.store.snapshot() as tx:
            found = tx.incidents.get(incident)
        name = found.provider if found else ""
        hands = self._house.provider(name)
        try:
            with suppress(Retryable):  # no answer just now; the step will wait for it
                if hands is not None:
                    hands.identity()
        except StanchError as error:
            click.echo(
                f"{late}, and this command has no identity at {name} to do it with: {error}\n"
                "  help: start a worker; `stanch doctor` looks at the broker",
                err=True,
            )
            return
        self._ours.add(run)
        click.echo(
            f"{late}, so this command does the work\n"
            "  help: start a worker; `stanch doctor` looks at the broker",
            err=True,
        )

    def _due(self, incidents: Iterable[IncidentId]) -> dict[RunId, IncidentId]:
        with self._house.store.snapshot() as tx:
            waiting = set(tx.runs.due(tx.now()))
            runs = {run.id: number for number in incidents for run in tx.runs.of(number)}
            due = {run: incident for run, incident in runs.items() if run in waiting}
            if due and not self._ours and _somebody_works(tx):
                return {}  # workers live, and are only busy
        return due


def _somebody_works(tx: Transaction) -> bool:
    """Whether any step of an open incident is held by somebody."""
    now = tx.now()
    return any(
        step.lease_until is not None and step.lease_until > now
        for incident in tx.incidents.list((IncidentState.OPEN, IncidentState.CONTAINED))
        for run in tx.runs.of(incident.id)
        if not run.state.over
        for step in tx.runs.steps(run.id)
    )

"""A command that does the work itself when no worker takes it up."""

from __future__ import annotations

import time
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from types import TracebackType
from typing import Self

import click

from responder.bootstrap import House
from responder.domain.ids import IncidentId, RunId, label

_AT_ONCE = 4  # runs that are worked on at a time


class Standby:
    """Containment must not wait for a broker to come back or a worker to be started.

    A run that stays due for ``seconds`` is advanced here. Leases let any number of hands work on a
    run, so a worker that comes back only shares the work.
    """

    def __init__(self, house: House, *, seconds: float) -> None:
        self._house = house
        self._seconds = seconds
        self._due_since: dict[RunId, float] = {}
        self._ours: set[RunId] = set()
        self._working: dict[RunId, Future[datetime | None]] = {}
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
            if run not in self._ours and now - self._due_since[run] >= self._seconds:
                self._ours.add(run)
                click.echo(
                    f"no worker has taken up {label(incident)} for {self._seconds:g} s, so this "
                    "command does the work\n  help: `stanch doctor` looks at the broker; start a "
                    "worker",
                    err=True,
                )
            if run in self._ours and run not in self._working:
                self._working[run] = self._pool.submit(self._house.advance, run)

    def _due(self, incidents: Iterable[IncidentId]) -> dict[RunId, IncidentId]:
        with self._house.store.transaction() as tx:
            waiting = set(tx.runs.due(tx.now()))
            runs = {run.id: number for number in incidents for run in tx.runs.of(number)}
        return {run: incident for run, incident in runs.items() if run in waiting}

"""``stanch scan --fleet FILE``: plans a fleet, works on it or waits for workers, and merges."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import click

from stanch.responder.bootstrap.fleet import fingerprint_key, hands, open_fleet_store
from stanch.responder.config import Settings, load
from stanch.responder.domain.fleet import Fleet, FleetStore, UnitState
from stanch.responder.domain.ports import Doorbell
from stanch.responder.fleet.bell import ring, ring_stalled
from stanch.responder.fleet.crew import Crew
from stanch.responder.fleet.file import read
from stanch.responder.fleet.plan import plan
from stanch.responder.fleet.scan import FleetScan
from stanch.responder.telemetry import log
from stanch.responder.terminal.progress import ProgressLine
from stanch.scanner.api import Commission, ScanRequest

_LOOK = 1.0  # seconds between two looks at whether anybody works


@contextmanager
def door(path: Path, request: ScanRequest, workers: int | None) -> Iterator[FleetScan]:
    """The fleet of a file, with somebody to work on it, while the context is open."""
    log.configure(level=os.environ.get("STANCH_LOG_LEVEL", "warning"), plain=True)
    settings = load()
    file = read(path)
    today = date.today()  # noqa: DTZ011  # an expiry is a day on the reader's calendar
    commission = Commission.of(request, path.resolve().parent, today=today)
    basis = Commission.basis(fingerprint_key(settings, request.fingerprint_key))
    with ExitStack() as stack:
        store = stack.enter_context(open_fleet_store(settings))
        planned = plan(store, file, commission, basis)
        if planned.resumed:
            click.echo(f"fleet {planned.fleet.id[:8]}: going on where it stopped", err=True)
        crew = Crew(
            opening=hands(settings, request.fingerprint_key, history=request.use_cache),
            fleet=planned.fleet.id,
            size=workers or len(os.sched_getaffinity(0)),
        )
        tend = crew.tend
        if settings.team:
            bell = _bell(settings, stack)
            team = Team(store, planned.fleet, bell, crew, stack, settings.worker.standby_seconds)
            ring(store, bell, planned.fleet, len(file.units))
            tend = team.tend
        if workers or not settings.team:
            stack.enter_context(crew)
        try:
            yield FleetScan(store, planned.fleet, tend=tend, by=ProgressLine())
        except KeyboardInterrupt:
            raise KeyboardInterrupt("the same command goes on where it stopped") from None


@dataclass(slots=True)
class Team:
    """Workers elsewhere: rung for, and stood in for when none of them takes anything."""

    store: FleetStore
    fleet: Fleet
    bell: Doorbell
    crew: Crew
    stack: ExitStack
    patience: float
    _due: float = 0.0
    _idle_since: float | None = None

    def tend(self) -> None:
        """Called again and again while the fleet is waited for."""
        if self.crew.pids:
            self.crew.tend()
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + _LOOK
        ring_stalled(self.store, self.bell)
        if self.crew.pids or not self._idle():
            self._idle_since = None
        elif self._idle_since is None:
            self._idle_since = now
        elif now - self._idle_since >= self.patience:
            click.echo(
                "no worker takes units of this fleet, so this machine does; "
                "to have others: stanch worker --lane fleet",
                err=True,
            )
            self.stack.enter_context(self.crew)

    def _idle(self) -> bool:
        """Whether there is work, and nobody at it."""
        with self.store.snapshot() as tx:
            states = tx.fleets.progress(self.fleet.id).states
            return not states.get(UnitState.RUNNING) and tx.fleets.free(self.fleet, tx.now()) > 0


def _bell(settings: Settings, stack: ExitStack) -> Doorbell:
    from stanch.responder.worker.app import make_app  # noqa: PLC0415  # one machine needs no Celery
    from stanch.responder.worker.doorbell import CeleryDoorbell  # noqa: PLC0415  # as above

    app = make_app(settings.broker_url(), sweep_seconds=settings.worker.sweep_seconds)
    stack.callback(app.close)
    return CeleryDoorbell(app)

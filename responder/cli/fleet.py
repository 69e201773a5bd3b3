"""``stanch scan --fleet FILE``: plans a fleet, works on it or waits for workers, and merges."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import date
from pathlib import Path

import click

from stanch.responder.bootstrap.fleet import fingerprint_key, hands, open_fleet_store
from stanch.responder.config import load
from stanch.responder.fleet.crew import Crew
from stanch.responder.fleet.file import read
from stanch.responder.fleet.plan import plan
from stanch.responder.fleet.scan import FleetScan
from stanch.responder.telemetry import log
from stanch.responder.terminal.progress import ProgressLine
from stanch.scanner.api import Commission, ScanRequest


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
        stack.enter_context(crew)
        yield FleetScan(store, planned.fleet, tend=crew.tend, by=ProgressLine())

"""``stanch fleets``: how far each fleet is, and what was set aside."""

from __future__ import annotations

import os

import click
from rich.console import Console

from stanch.responder.bootstrap.fleet import open_fleet_store
from stanch.responder.config import load
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.fleet import Fleet, FleetStore, UnitState
from stanch.responder.telemetry import log
from stanch.responder.terminal.progress import fleet_table, unit_table

_SHOWN = (UnitState.RUNNING, UnitState.WAITING, UnitState.ASIDE)


@click.command("fleets")
@click.argument("fleet", metavar="[ID]", required=False)
def command(fleet: str | None) -> None:
    """List the fleets of this store, the newest first; with ID what is running, late or set aside.

    Exit codes: 0 shown, 2 there is no such fleet.
    """
    log.configure(level=os.environ.get("STANCH_LOG_LEVEL", "warning"), plain=True)
    console = Console(highlight=False)
    with open_fleet_store(load()) as store:
        if fleet is not None:
            _units(store, fleet, console)
            return
        with store.snapshot() as tx:
            rows = [(each, tx.fleets.progress(each.id)) for each in tx.fleets.list()]
            now = tx.now()
        if rows:
            console.print(fleet_table(rows, now))
        else:
            console.print("no fleets; begin one: stanch scan --fleet org.toml")


def _units(store: FleetStore, begins: str, console: Console) -> None:
    with store.snapshot() as tx:
        found = [each for each in tx.fleets.list() if each.id.startswith(begins)]
        if len(found) != 1:
            raise _none(begins, found)
        units = [unit for state in _SHOWN for unit in tx.fleets.units(found[0].id, state)]
        progress, now = tx.fleets.progress(found[0].id), tx.now()
    console.print(fleet_table([(found[0], progress)], now))
    if units:
        console.print(unit_table(units))


def _none(begins: str, found: list[Fleet]) -> UsageError:
    many = f"{len(found)} fleets begin" if found else "no fleet begins"
    return UsageError(f"{many} with {begins!r}", remedy="`stanch fleets` lists them")

"""How far a fleet is, on standard error: one line that is rewritten, or a line now and then.

Without a thread of its own, since whoever waits for a fleet forks.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from datetime import datetime
from typing import TextIO

from rich import box
from rich.table import Table
from rich.text import Text

from stanch.responder.domain.fleet import Fleet, FleetProgress, UnitRun, UnitState
from stanch.responder.terminal.text import visible

_EVERY = 60.0  # seconds between two lines where nobody looks at a terminal
_SURE = 0.02  # of the units have to be over before the rest can be foretold
_MINUTE = 60


class ProgressLine:
    """Tells it to a person, or to a log."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = sys.stderr if out is None else out
        self._person = self._out.isatty()
        self._due = time.monotonic() + _EVERY
        self._shown = False

    def tell(self, progress: FleetProgress, seconds: float) -> None:
        """So far it has come in so many seconds."""
        line = words(progress, seconds)
        if self._person:
            self._out.write(f"\r\x1b[K{line}")
            self._shown = True
        elif time.monotonic() >= self._due:
            self._due = time.monotonic() + _EVERY
            self._out.write(f"{line}\n")
        self._out.flush()

    def clear(self) -> None:
        """Make room for what is written next."""
        if self._shown:
            self._out.write("\r\x1b[K")
            self._out.flush()
            self._shown = False


def words(progress: FleetProgress, seconds: float) -> str:
    """How far it is, and how long it may take, in one line."""
    running = progress.states.get(UnitState.RUNNING, 0)
    aside = progress.states.get(UnitState.ASIDE, 0)
    waiting = progress.states.get(UnitState.WAITING, 0)
    said = [
        f"{progress.over:,} of {progress.of}",
        f"{running:,} running" if running else "",
        f"{waiting:,} to be tried again" if waiting else "",
        f"{aside:,} set aside" if aside else "",
        f"{progress.findings:,} place{'' if progress.findings == 1 else 's'}",
        f"{progress.size / 1e6:,.0f} MB",
        _left(progress, seconds),
    ]
    return " · ".join(filter(None, said))


def _left(progress: FleetProgress, seconds: float) -> str:
    share = progress.over / progress.units if progress.units else 0.0
    if share < _SURE or not progress.left:
        return ""
    left = seconds * (1 - share) / share
    return f"about {left:.0f} s left" if left < _MINUTE else f"about {left / _MINUTE:.0f} min left"


def fleet_table(fleets: Iterable[tuple[Fleet, FleetProgress]], now: datetime) -> Table:
    """Fleets with their progress, in the order given."""
    table = _table("Id", "State")
    table.add_column("What, and how far", overflow="fold")
    for fleet, progress in fleets:
        seconds = ((fleet.finished_at or now) - fleet.started_at).total_seconds()
        over = "given up" if progress.left else "reported"
        state = "going on" if fleet.finished_at is None else over
        said = Text(visible(fleet.name)).append(f"\n{words(progress, seconds)}", style="dim")
        table.add_row(fleet.id[:8], state, said)
    return table


def unit_table(units: Iterable[UnitRun]) -> Table:
    """Units, each with who has it or why nobody has."""
    table = _table("State")
    table.add_column("Unit", overflow="fold")
    for unit in units:
        name = Text(visible(unit.name))
        if unit.state is UnitState.RUNNING:
            name.append(f"\n{visible(unit.worker)}", style="dim")
        elif unit.error:
            name.append(f"\n{visible(unit.error)}", style="dim")
            name.append(f"\n{visible(unit.remedy or '')}", style="bold")
        table.add_row(unit.state.value, name)
    return table


def _table(*columns: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in columns:
        table.add_column(name, no_wrap=True)
    return table

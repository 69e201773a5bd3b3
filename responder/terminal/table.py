"""Incidents as a table for `stanch incidents`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.table import Table
from rich.text import Text

from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.terminal.text import visible

_STATE_STYLE = {"open": "bold red", "contained": "yellow", "proven-dead": "green"}


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRow:
    """One line: ``age`` and ``wanted`` are words for people (``3 h``, ``approval by 15:02``)."""

    incident: IncidentId
    state: str
    severity: str
    credential: str
    place: str
    age: str
    wanted: str = ""


def incident_table(rows: Iterable[IncidentRow]) -> Table:
    """The rows in the order given, readable at 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("Id", "State", "Severity", "Age"):
        table.add_column(name, no_wrap=True)
    table.add_column("What, where, and what is wanted", overflow="fold")
    for row in rows:
        table.add_row(
            label(row.incident),
            Text(row.state, style=_STATE_STYLE.get(row.state, "")),
            Text(visible(row.severity)),
            Text(visible(row.age)),
            _what(row),
        )
    return table


def _what(row: IncidentRow) -> Text:
    text = Text(visible(row.credential)).append(f"\n{visible(row.place)}", style="dim")
    return text.append(f"\n{visible(row.wanted)}", style="bold") if row.wanted else text

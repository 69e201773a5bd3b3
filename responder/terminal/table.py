"""Incidents as a table for `stanch incidents`."""

from __future__ import annotations

from collections.abc import Iterable

from rich import box
from rich.table import Table
from rich.text import Text

from stanch.responder.domain.card import Tone
from stanch.responder.domain.ids import label
from stanch.responder.services.listing import Row
from stanch.responder.terminal.text import visible

_STYLE = {
    Tone.ALARM: "bold red",
    Tone.FAILED: "bold red",
    Tone.WAITING: "yellow",
    Tone.SAFE: "green",
}


def incident_table(rows: Iterable[Row]) -> Table:
    """The rows in the order given, readable at 80 columns."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    for name in ("Id", "State", "Severity", "Age"):
        table.add_column(name, no_wrap=True)
    table.add_column("What, where, and what is wanted", overflow="fold")
    for row in rows:
        table.add_row(
            label(row.incident),
            Text(visible(row.state), style=_STYLE[row.tone]),
            Text(visible(row.severity)),
            Text(visible(row.age)),
            _what(row),
        )
    return table


def _what(row: Row) -> Text:
    text = Text(visible(row.credential)).append(f"\n{visible(row.place)}", style="dim")
    return text.append(f"\n{visible(row.wanted)}", style="bold") if row.wanted else text

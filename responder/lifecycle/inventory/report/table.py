"""The matrix for a terminal of 80 columns."""

from __future__ import annotations

from rich import box
from rich.table import Table
from rich.text import Text

from stanch.responder.lifecycle.inventory.matrix import Matrix
from stanch.responder.lifecycle.inventory.report.cell import COLUMNS
from stanch.responder.lifecycle.inventory.row import Row, State
from stanch.responder.lifecycle.model.reference import SCHEME
from stanch.scanner.model.error import printable

_STYLES = {State.OK: "green", State.OVERDUE: "bold red", State.MISPLACED: "bold red"}
_CLASS_WIDTH = 12


def table(matrix: Matrix) -> Table:
    """Rows as given: a line each, below it dim the store, who uses it, and what is wrong."""
    made = Table(box=box.SIMPLE_HEAD, show_edge=False, header_style="bold", padding=(0, 1, 0, 0))
    for name in ("State", "Age", "Every"):
        made.add_column(name, no_wrap=True)
    made.add_column("Class", max_width=_CLASS_WIDTH, overflow="fold")
    made.add_column("Owner", max_width=16, overflow="fold")
    made.add_column("Secret, where it is kept, who uses it", overflow="fold")
    for row in matrix.rows:
        made.add_row(
            Text(row.state, style=_STYLES.get(row.state, "yellow")),
            _cell(row, "age"),
            _cell(row, "rotation_period"),
            _cell(row, "classification"),
            _cell(row, "owner"),
            _what(row),
        )
    return made


def _cell(row: Row, name: str) -> Text:
    return Text(printable(COLUMNS[name](row)) or "-")


def _what(row: Row) -> Text:
    used = "not known" if row.consumers is None else ", ".join(row.consumers) or "nobody seen"
    text = Text(printable(row.name.removeprefix(SCHEME)))
    text.append(f"\n{row.source}; used by: {printable(used)}", style="dim")
    return text.append(f"\n{printable(row.problem)}", style="yellow") if row.problem else text

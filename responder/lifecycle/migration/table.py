"""A phase's result for a terminal of 80 columns."""

from __future__ import annotations

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from stanch.responder.lifecycle.migration.result import Line, Result, State
from stanch.responder.lifecycle.model.reference import SCHEME
from stanch.scanner.model.error import printable

_STYLES = {State.DONE: "green", State.SKIPPED: "yellow"}


def shown(result: Result) -> RenderableType:
    """A line for the phase, and a row for each variable or file of it."""
    head = Text(f"{result.phase}: ", style="bold")
    head.append(str(result.state), style=_STYLES.get(result.state, "bold red"))
    head.append(f"; {printable(result.summary)}")
    if result.before:
        head.append(f" (at {result.before})", style="dim")
    if not result.lines or result.before:
        return head
    made = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        show_header=False,
        padding=(0, 1, 0, 0),
    )
    made.add_column(no_wrap=True)
    made.add_column(max_width=24, overflow="fold")
    made.add_column(overflow="fold")
    for line in result.lines:
        style = "yellow" if line.bad else ""
        made.add_row(Text(line.said, style=style), printable(_name(line)), _what(line))
    return Group(head, made)


def _name(line: Line) -> str:
    return line.name.rpartition("/")[2]


def _what(line: Line) -> Text:
    said = [line.reference.removeprefix(SCHEME) or line.place, line.detail]
    return Text("\n".join(printable(each) for each in said if each))

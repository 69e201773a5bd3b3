"""``stanch runbooks``: list, check and plan."""

from __future__ import annotations

from pathlib import Path

import click
from rich import box
from rich.console import Console
from rich.table import Table

from stanch.responder.bootstrap import installed_runbooks
from stanch.responder.cli.session import house
from stanch.responder.config import load
from stanch.responder.domain.ids import parse_label
from stanch.responder.engine.loader import load_runbooks
from stanch.responder.providers.registry import SPECS
from stanch.responder.terminal.plan import plan_table


@click.group("runbooks")
def command() -> None:
    """List and check runbooks, and show what one would do (dry run)."""


@command.command("list")
def show_all() -> None:
    """List the runbooks in force.

    Exit codes: 0 listed, 2 a runbook is wrong.
    """
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 2, 0, 0))
    for name in ("Runbook", "Handles", "Steps", "Title"):
        table.add_column(name, overflow="fold")
    for book in installed_runbooks(load()).values():
        handles = "\n".join(" ".join(answer) for answer in book.answers)
        table.add_row(book.id, handles, str(len(book.steps)), book.title)
    Console(highlight=False).print(table)


@command.command("check")
@click.argument("folder", required=False, type=click.Path(path_type=Path))
def check(folder: Path | None) -> None:
    """Check the runbooks in FOLDER (default: those in force). Errors name file and line.

    Exit codes: 0 sound, 2 a runbook or policy is wrong.
    """
    books = load_runbooks(folder, SPECS) if folder else installed_runbooks(load())
    click.echo(f"{len(books)} runbooks, {sum(len(b.steps) for b in books.values())} steps: sound")


@command.command("plan", short_help="Show the exact calls for LK-n; calls nothing.")
@click.argument("incident", metavar="LK-n")
def plan(incident: str) -> None:
    """Show the exact calls for LK-n, what can be undone and who must approve. Calls nothing.

    A value that a step must find out first is shown as ‹step.output›.

    Exit codes: 0 shown, 2 there is no such incident, or no runbook for it.
    """
    with house() as opened:
        planned = opened.responses.plan(parse_label(incident))
    Console(highlight=False).print(plan_table(planned))

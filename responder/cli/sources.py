"""``stanch sources``: what is watched, how far, how late, what failed, and what comes next."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime

import click
from rich.console import Console

from stanch.responder.bootstrap import House
from stanch.responder.bootstrap.watching import suspects
from stanch.responder.checkup.in_force import wording
from stanch.responder.cli.session import caller, house
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import label
from stanch.responder.services.lookout import Lookout, alone, lookouts
from stanch.responder.terminal.lookout import as_json, lookout_list, suspicion_table


@click.command("sources")
@click.argument("name", metavar="[WATCH]", required=False)
@click.option("--open", "wanted", type=int, metavar="N", help="Make number N an incident.")
@click.option("--dismiss", "dismissed", type=int, metavar="N", help="Number N is nothing.")
@click.option("--as", "who", metavar="NAME", help="Who judges. Default: your login name.")
@click.option(
    "--format", "form", type=click.Choice(["table", "json"]), default="table", show_default=True
)
def command(
    name: str | None, wanted: int | None, dismissed: int | None, who: str | None, form: str
) -> None:
    """Show what is watched: how far, how late, what failed, what comes next, and the trend.

    With WATCH each of its sources, and what a person has to judge there: a stream that suddenly
    changed, a find that nobody is sure of. --open makes one an incident, --dismiss lays it aside.

    Exit codes: 0 all was read and nothing waits for a person; 1 something does; 2 usage or
    configuration; 3 something was not read.
    """
    with house() as opened:
        if wanted is not None or dismissed is not None:
            _judge(opened, wanted, dismissed, who)
            return
        rows, now = _rows(opened, name)
        if form == "json":
            click.echo(json.dumps([as_json(row) for row in rows], indent=2))
        else:
            console = Console(highlight=False)
            if not rows:
                begin = wording(opened.settings, "[watch.NAME]")
                click.echo(f"nothing is watched; docs/watching.md says how: write {begin}")
            else:
                console.print(lookout_list(rows, now))
            if name and any(row.suspicions for row in rows):
                console.print(suspicion_table(rows))
                console.print("judge one: stanch sources --open N, or --dismiss N")
    sys.exit(_code(rows))


def _code(rows: Sequence[Lookout]) -> int:
    if any(row.suspicions for row in rows):
        return 1
    return 0 if all(row.whole for row in rows) else 3


def _rows(opened: House, name: str | None) -> tuple[tuple[Lookout, ...], datetime]:
    watches = {each.name: each.subject for each in opened.settings.watches().values()}
    if name is not None and name not in watches:
        raise UsageError(
            f"nothing is watched under the name {name!r}",
            remedy=f"watched: {', '.join(watches) or 'nothing yet'}; "
            f"what is stands as {wording(opened.settings, '[watch.NAME]')}",
        )
    with opened.store.snapshot() as tx:
        sources, doubts, now = tx.sources.list(), tx.sources.suspicions(), tx.now()
    if name is None:
        return lookouts(watches, sources, doubts, now), now
    rows = tuple(alone(each, doubts, now) for each in sources if each.watch == name)
    return rows or lookouts({name: watches[name]}, (), (), now), now


def _judge(opened: House, wanted: int | None, dismissed: int | None, who: str | None) -> None:
    by = caller(opened.settings, who)
    judge = suspects(opened)
    if wanted is not None:
        incident = judge.open(wanted, by)
        click.echo(f"{label(incident)} is open; `stanch incidents {label(incident)}` shows it")
    if dismissed is not None:
        judge.dismiss(dismissed, by)
        click.echo(f"number {dismissed} is laid aside")

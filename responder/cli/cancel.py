"""``stanch cancel``: end an incident's run and leave the world as it is."""

from __future__ import annotations

import click

from stanch.responder.cli.session import caller, house
from stanch.responder.domain.ids import label, parse_label


@click.command("cancel")
@click.argument("incident", metavar="LK-n")
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
def command(incident: str, name: str | None) -> None:
    """End LK-n's run, or its undo, where it stands; what was done stays done.

    Exit codes: 0 cancelled, 2 nothing is running, or usage.
    """
    with house() as opened:
        number, by = parse_label(incident), caller(opened.settings, name)
        opened.responses.cancel(number, by=by)
    click.echo(
        f"{label(number)} is left as it is; `stanch respond {label(number)}` goes on, "
        f"`stanch undo {label(number)}` takes back what was done"
    )

"""``stanch pause``: nothing more happens to an incident until somebody resumes it."""

from __future__ import annotations

import click

from stanch.responder.cli.session import caller, house
from stanch.responder.domain.ids import label, parse_label


@click.command("pause")
@click.argument("incident", metavar="LK-n")
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
def command(incident: str, name: str | None) -> None:
    """Stop LK-n's run where it stands; an act that is under way is finished first.

    What is contained stays contained. Questions stay open; an answer counts when the run goes on.

    Exit codes: 0 paused, 2 nothing is running, or usage.
    """
    with house() as opened:
        number, by = parse_label(incident), caller(opened.settings, name)
        opened.responses.pause(number, by=by)
    click.echo(f"{label(number)} is paused; `stanch resume {label(number)}` goes on")

"""``stanch resume``: go on with a paused run."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from stanch.responder.cli.session import caller, house, known, watch, working


@click.command("resume")
@click.argument("incident", metavar="LK-n")
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
def command(incident: str, name: str | None) -> None:
    """Go on with LK-n's paused run, until it is over or waits for a person.

    Exit codes: 0 nothing failed, 1 a step failed, 2 it is not paused, or usage.
    """
    console = Console(highlight=False)
    with house() as opened:
        number, by = known(opened, incident), caller(opened.settings, name)
        with working(opened):
            opened.responses.resume(number, by=by)
            fine = watch(opened, (number,), console)
    sys.exit(0 if fine else 1)

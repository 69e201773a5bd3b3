"""``stanch pause``: nothing more is done for an incident until somebody resumes it."""

from __future__ import annotations

import click

from stanch.responder.cli.session import caller, house, known, show


@click.command("pause")
@click.argument("incident", metavar="LK-n")
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
def command(incident: str, name: str | None) -> None:
    """Hold LK-n's run where it is; a call that is under way is finished first.

    What was done stays done: what is contained stays contained. `stanch resume LK-n` goes on,
    `stanch cancel LK-n` ends the run.

    Exit codes: 0 paused, 2 nothing is running, or usage.
    """
    with house() as opened:
        number, by = known(opened, incident), caller(opened.settings, name)
        opened.responses.pause(number, by=by)
        show(opened, number)

"""``stanch cancel``: end an incident's run where it stands."""

from __future__ import annotations

import click

from stanch.responder.cli.session import caller, house, known, show


@click.command("cancel")
@click.argument("incident", metavar="LK-n")
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
def command(incident: str, name: str | None) -> None:
    """End LK-n's run (or its undo) where it stands; a call that is under way is finished first.

    Nothing is taken back: what is contained stays contained. `stanch respond LK-n` goes on,
    `stanch undo LK-n` takes back what was done.

    Exit codes: 0 ended, 2 nothing is running, or usage.
    """
    with house() as opened:
        number, by = known(opened, incident), caller(opened.settings, name)
        opened.responses.cancel(number, by=by)
        show(opened, number)

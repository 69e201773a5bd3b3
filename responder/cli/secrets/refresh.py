"""``stanch secrets refresh``: everybody asks the store again."""

from __future__ import annotations

import sys

import click

from stanch.responder.cli.secrets.desk import settings_for
from stanch.responder.lifecycle.cache.announcement import Announced
from stanch.responder.lifecycle.model.reference import parse
from stanch.responder.lifecycle.sdk.keeping import announcing


@click.command("refresh")
@click.argument("reference", metavar="secret://SERVICE/ENVIRONMENT/TOOL/NAME")
def command(*, reference: str) -> None:
    """Make all processes forget what they keep of a secret, and ask its store again.

    For what was changed outside of Stanch: a value, a permission, metadata.

    Exit codes: 0 told, 2 usage or configuration, 3 nobody could be told.
    """
    wanted = parse(reference).current
    settings = settings_for(str(wanted.environment), None)
    with announcing(settings) as announcer:
        told = announcer.rotated(wanted)
    seconds = told.within.total_seconds()
    if isinstance(told, Announced):
        click.echo(f"{wanted}: {told.listeners} heard it; all ask again within {seconds:.0f} s")
        return
    click.echo(
        f"{wanted}: nobody was told: {told.why}. What is kept is given for up to {seconds:.0f} s.\n"
        "Next: set [cache] url in stanch.toml, or look after its Redis: `stanch doctor`",
        err=True,
    )
    sys.exit(3)

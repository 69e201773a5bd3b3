"""``stanch secrets revoke``: nobody is given it, and it is refused where it counts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import click

from stanch.responder.cli.secrets.annotate import keeper
from stanch.responder.cli.secrets.desk import asker, place_options, room, settings_for, tell
from stanch.responder.cli.secrets.list import known_consumers
from stanch.responder.cli.secrets.rotate import current
from stanch.responder.cli.secrets.rotator import ending
from stanch.responder.lifecycle.rotation.revocation import Revocation, Revoked
from stanch.responder.lifecycle.sdk.keeping import announcing

_LOOKED_BACK = timedelta(days=90)


@click.command("revoke")
@click.argument("reference", metavar="secret://SERVICE/ENVIRONMENT/TOOL/NAME")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it goes on the record.")
@click.option("--ticket", default="", metavar="TEXT", help="Which change this belongs to.")
@click.option("--admin", metavar="secret://…", help="Who may set passwords there.")
@click.option("--restore", is_flag=True, help="Give it again; a value that was ended stays so.")
@place_options
def command(  # noqa: PLR0913  # one for each option
    *,
    reference: str,
    reason: str,
    ticket: str,
    admin: str | None,
    restore: bool,
    env: str | None,
    tenant: str | None,
) -> None:
    """Stop giving a secret, at once and everywhere, and end its value where it counts.

    What may still work is said, and who was given it in the last 90 days.

    Exit codes: 0 refused everywhere, as was seen, 1 something may still work, 2 usage or
    configuration, 3 a store did not answer.
    """
    wanted = current(reference)
    settings = settings_for(env, tenant)
    by = asker(settings, reason)
    used, notes = known_consumers(settings, datetime.now(UTC) - _LOOKED_BACK)
    # Imported late: it brings the store.
    from stanch.responder.bootstrap.record import open_rotations  # noqa: PLC0415

    with room(settings) as opened, ExitStack() as stack:
        source = keeper(wanted, opened.course(wanted.environment).sources)
        announcer = announcing(settings)
        stack.callback(announcer.close)
        revocation = Revocation(
            source=source,
            rotator=None if restore else ending(opened, source, wanted, by, admin),
            record=open_rotations(settings, stack),
            announcer=announcer,
            by=by,
            ticket=ticket,
        )
        act = revocation.restore if restore else revocation.revoke
        outcome = act(wanted, reason)
    tell(notes)
    _show(outcome, () if restore else (used or {}).get(str(wanted), ()))


def _show(outcome: Revoked, given: Sequence[str]) -> None:
    """What was seen, and what may still work; ends the command."""
    click.echo(f"{outcome.reference}")
    for line in (*outcome.done, *(f"STILL OPEN: {each}" for each in outcome.left)):
        click.echo(f"  {line}")
    for who in given:
        click.echo(f"  was given to {who}")
    sys.exit(1 if outcome.left else 0)

"""``stanch secrets repair``: a rotation that broke off is finished or taken back."""

from __future__ import annotations

import click

from stanch.responder.cli.secrets.desk import (
    asker,
    place_options,
    reason_option,
    room,
    settings_for,
)
from stanch.responder.cli.secrets.rotate import current, rotation, show
from stanch.responder.cli.secrets.rotator import How, made, rotator_options


@click.command("repair")
@click.argument("reference", metavar="secret://SERVICE/ENVIRONMENT/TOOL/NAME")
@click.option("--withdraw", is_flag=True, help="Take a pending value back instead.")
@click.option("--now", is_flag=True, help="Retire the old value although its time is not over.")
@rotator_options
@reason_option
@place_options
def command(  # noqa: PLR0913  # one for each option
    *,
    reference: str,
    withdraw: bool,
    now: bool,
    rotator: str | None,
    admin: str | None,
    check: str | None,
    reason: str,
    env: str | None,
    tenant: str | None,
) -> None:
    """Finish a rotation that broke off, or take it back; retire the old value when it is time.

    What the store and the record say tells how far it came. A pending value that works is made
    current, one that does not is taken back.

    Exit codes: 0 nothing is open, or what is said, 1 it was taken back or refused, 2 usage or
    configuration, 3 a store did not answer.
    """
    wanted = current(reference)
    settings = settings_for(env, tenant)
    by = asker(settings, reason or "repair of a rotation")
    with room(settings) as opened, rotation(settings, opened, wanted, by) as (begin, given):
        how = made(opened, given, by, How(rotator=rotator, admin=admin, check=check))
        show(begin(rotator=how).repair(wanted, withdraw=withdraw, now=now))

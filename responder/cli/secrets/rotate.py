"""``stanch secrets rotate``: another value, tried before anybody is given it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial

import click

from stanch.responder.cli.secrets.desk import asker, place_options, room, settings_for, tell
from stanch.responder.cli.secrets.rotator import How, keep_of, made, rotator_options
from stanch.responder.config import Settings
from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.cache.announcement import Announcer
from stanch.responder.lifecycle.model.access import Asker
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.resolution.resolver import Resolved
from stanch.responder.lifecycle.rotation.course import Outcome, Rotation
from stanch.responder.lifecycle.sdk.keeping import announcing
from stanch.responder.lifecycle.sdk.room import Room
from stanch.scanner.api import load_fingerprint_key


@click.command("rotate")
@click.argument("reference", metavar="secret://SERVICE/ENVIRONMENT/TOOL/NAME")
@click.option("--ticket", required=True, metavar="TEXT", help="Which change this belongs to.")
@click.option("--reason", required=True, metavar="TEXT", help="Why; it goes on the record.")
@click.option("--keep", default="24h", metavar="PERIOD", help="The old value works as long; 24h.")
@rotator_options
@place_options
def command(  # noqa: PLR0913  # one for each option
    *,
    reference: str,
    ticket: str,
    reason: str,
    keep: str,
    env: str | None,
    tenant: str | None,
    rotator: str | None,
    admin: str | None,
    check: str | None,
) -> None:
    """Rotate a secret: pending, accepted, tried, promoted by compare-and-set, told, recorded.

    A new value that does not work is taken back, and the old one is current as before. Whatever
    breaks off in between, `stanch secrets repair` finishes or takes back.

    Exit codes: 0 the new value is current, 1 rotated back or refused, 2 usage or configuration,
    3 a store did not answer.
    """
    wanted = current(reference)
    settings = settings_for(env, tenant)
    by, kept = asker(settings, reason), keep_of(keep)
    with room(settings) as opened, rotation(settings, opened, wanted, by) as (begin, given):
        how = made(opened, given, by, How(rotator=rotator, admin=admin, check=check))
        show(begin(rotator=how, ticket=ticket, keep=kept).rotate(wanted))


def current(text: str) -> Reference:
    """A secret, not one of its versions."""
    wanted = parse(text)
    if wanted.version:
        raise UsageError(f"{wanted} names a version", remedy=f"name the secret: {wanted.current}")
    return wanted


@contextmanager
def rotation(
    settings: Settings, opened: Room, wanted: Reference, by: Asker
) -> Iterator[tuple[Callable[..., Rotation], Resolved]]:
    """What rotates this secret but for how; and its value, which is on the record as given."""
    # Imported late: it brings the store.
    from stanch.responder.bootstrap.record import open_rotations  # noqa: PLC0415

    given = opened.resolver.resolve(wanted, by)
    tell(given.notes)
    key = load_fingerprint_key(settings.scanner.fingerprint_key or None, settings.data)
    with ExitStack() as stack:
        announcer: Announcer = announcing(settings)
        stack.callback(announcer.close)
        yield (
            partial(
                Rotation,
                source=opened.backend(given.source),
                record=open_rotations(settings, stack),
                announcer=announcer,
                fingerprint=lambda value: key.fingerprint("stanch", "secret-version", value),
                by=by,
            ),
            given,
        )


def show(outcome: Outcome) -> None:
    """What was done, and what is still open; ends the command."""
    click.echo(f"{outcome.reference}")
    for line in outcome.done:
        click.echo(f"  {line}")
    if outcome.open:
        click.echo(f"  {outcome.open}")
    sys.exit(0)

"""``stanch secrets annotate``: metadata, which distribution waits for."""

from __future__ import annotations

import sys

import click

from stanch.responder.cli.secrets.desk import room, settings_for
from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.model.answer import (
    Absent,
    Conflict,
    Denied,
    Described,
    NotGiven,
    Unreachable,
)
from stanch.responder.lifecycle.model.backend import Ability, Backend
from stanch.responder.lifecycle.model.error import (
    SecretAbsent,
    SecretConflict,
    SecretDenied,
    SecretError,
    SecretUnavailable,
    Unsupported,
)
from stanch.responder.lifecycle.model.metadata import KEYS, PREFIX, read
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.sdk.keeping import announcing


def _options(command: click.Command) -> click.Command:
    for name, key in reversed(list(KEYS.items())):
        command = click.option(
            f"--{name}", name.replace("-", "_"), metavar="TEXT", help=f"{key.form}."
        )(command)
    return command


@click.command("annotate")
@click.argument("reference", metavar="secret://SERVICE/ENVIRONMENT/TOOL/NAME")
def command(*, reference: str, **given: str | None) -> None:
    """Set metadata of a secret in its store; what is not named stays as it is.

    Exit codes: 0 set, 1 denied or absent, 2 usage or configuration, 3 the store did not answer.
    """
    wanted = parse(reference).current
    tags = {name.replace("_", "-"): text for name, text in given.items() if text is not None}
    wrong = read(tags).wrong
    if not tags or wrong:
        said = "; ".join(f"--{key} is not {form}" for key, form in wrong.items())
        raise UsageError(
            said or "nothing is to be set",
            remedy="see `stanch secrets annotate --help` for what each key takes",
        )
    settings = settings_for(str(wanted.environment), None)
    with room(settings) as opened:
        source = keeper(wanted, opened.course(wanted.environment).sources)
        written = source.annotate(wanted, {PREFIX + name: text for name, text in tags.items()})
        if isinstance(written, NotGiven | Conflict):
            raise failure(wanted, source.name, written)
        look = source.describe(wanted)
    with announcing(settings) as announcer:
        announcer.rotated(
            wanted
        )  # who was refused for what lacked need not wait; others lose little
    if not isinstance(look, Described):
        raise failure(wanted, source.name, look)
    reading = read(look.tags)
    click.echo(f"{wanted}: {', '.join(f'{key}={text}' for key, text in reading.known.items())}")
    if reading.problem:
        click.echo(f"still not complete: {reading.problem}")
    sys.exit(0)


command = _options(command)


def keeper(reference: Reference, sources: tuple[Backend, ...]) -> Backend:
    """The first store that has the secret and can keep metadata."""
    absent: list[Absent] = []
    for source in sources:
        if Ability.ANNOTATE not in source.abilities:
            continue
        look = source.describe(reference)
        if isinstance(look, Described):
            return source
        if not isinstance(look, Absent):
            raise failure(reference, source.name, look)
        absent.append(look)
    if not absent:
        raise Unsupported(
            f"{reference}: no store of {reference.environment} keeps metadata beside a value",
            remedy="write it in a comment of the file: docs/lifecycle/README.md shows how; "
            "`stanch secrets list` shows where it is",
        )
    raise failure(reference, "its stores", absent[0])


def failure(reference: Reference, source: str, answer: NotGiven | Conflict) -> SecretError:
    """An answer of a store as an error for people."""
    message = f"{reference}: {source}: {answer.why}"
    match answer:
        case Absent():
            return SecretAbsent(
                message, remedy=answer.remedy or "`stanch secrets list` shows what there is"
            )
        case Denied():
            return SecretDenied(message, remedy=answer.remedy)
        case Unreachable():
            return SecretUnavailable(
                message, remedy=answer.remedy or "try again when it answers; `stanch doctor`"
            )
        case Conflict():
            return SecretConflict(message, remedy="look at it, and repeat what you did")

"""``stanch secrets run``: a program with its secrets, and nobody else with them."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack

import click

from stanch.responder.cli.secrets.desk import (
    asker,
    place_options,
    reason_option,
    room,
    settings_for,
    tell,
)
from stanch.responder.config import Settings
from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.delivery.child import Renewal, become, supervise
from stanch.responder.lifecycle.delivery.handover import Mode, handed_over
from stanch.responder.lifecycle.model.access import Asker
from stanch.responder.lifecycle.model.answer import Described, Stage
from stanch.responder.lifecycle.model.error import SecretError
from stanch.responder.lifecycle.model.reference import FORM, SCHEME, Reference, parse
from stanch.responder.lifecycle.resolution.resolver import Resolved
from stanch.responder.lifecycle.sdk.room import Room
from stanch.responder.lifecycle.sdk.watch import EVERY


@click.command("run", context_settings={"ignore_unknown_options": True})
@click.option("--fd", "sealed", is_flag=True, help="Variables hold paths of sealed memory.")
@click.option("--file", "in_file", is_flag=True, help="Variables hold paths of files in memory.")
@click.option("--restart", is_flag=True, help="Start CMD anew when a secret is rotated.")
@click.option(
    "--grace",
    default=10.0,
    type=click.FloatRange(min=0.0),
    metavar="SECONDS",
    help="How long CMD may take to end before it is started anew. Default: 10.",
)
@place_options
@reason_option
@click.argument("command_line", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- CMD")
def command(  # noqa: PLR0913  # click passes each option by name
    *,
    sealed: bool,
    in_file: bool,
    restart: bool,
    grace: float,
    env: str | None,
    tenant: str | None,
    reason: str,
    command_line: tuple[str, ...],
) -> None:
    """Run CMD with every variable that holds secret://… resolved.

    An environment can be read by every process of the same user: --fd and --file put a path into
    the variable instead. CMD gets the signals that are sent here. Files are removed when it ends.

    Exit codes: 0 CMD ended well, else its own, 128 + n when signal n ended it; 126 it cannot be
    run, 127 it is not there. Before it starts: 1 refused, denied or absent, 2 usage or
    configuration, 3 a store did not answer.
    """
    chosen = _mode(sealed=sealed, in_file=in_file)
    _require_no_reference(command_line)
    wanted = _wanted(os.environ)
    settings = settings_for(env, tenant)
    by = asker(settings, reason or f"run {command_line[0]}")
    if restart:
        sys.exit(_kept_up(settings, wanted, command_line, chosen, grace, by))
    with room(settings) as opened:
        given = _resolved(opened, wanted, by)
    values = {name: given[reference].value for name, reference in wanted.items()}
    with handed_over(values, os.environb, chosen) as environment:
        if chosen is Mode.FILE:
            sys.exit(supervise(command_line, environment))
        sys.stdout.flush()
        become(command_line, environment)


def _mode(*, sealed: bool, in_file: bool) -> Mode:
    if sealed and in_file:
        raise UsageError(
            "--fd and --file both say what the variables are to hold",
            remedy="say one of them: stanch secrets run --fd -- CMD",
        )
    return Mode.DESCRIPTOR if sealed else Mode.FILE if in_file else Mode.ENVIRONMENT


def _kept_up(
    settings: Settings,
    wanted: Mapping[str, Reference],
    command_line: tuple[str, ...],
    mode: Mode,
    grace: float,
    by: Asker,
) -> int:
    """Run it, and again with new values whenever one of them is rotated."""
    with room(settings) as opened, ExitStack() as made, ExitStack() as before:
        given = _resolved(opened, wanted, by)

        def environment() -> Mapping[bytes, bytes]:
            values = {name: given[reference].value for name, reference in wanted.items()}
            return made.enter_context(handed_over(values, os.environb, mode))

        def renewed() -> Mapping[bytes, bytes] | None:
            if not any(_rotated(opened, each) for each in given.values()):
                return None
            try:
                fresh = _resolved(opened, wanted, by)
            except SecretError as error:
                tell((f"{command_line[0]} goes on with the values it has: {error}",))
                return None
            if all(fresh[each].version == given[each].version for each in fresh):
                return None
            given.update(fresh)
            tell((f"{command_line[0]} is started anew: a secret was rotated",))
            before.close()
            before.push(made.pop_all())  # until the program that reads it has ended
            return environment()

        every = EVERY[opened.place.environment].total_seconds()
        renewal = Renewal(every=every, grace=grace, environment=renewed)
        return supervise(command_line, environment(), renewal=renewal)


def _rotated(opened: Room, given: Resolved) -> bool:
    if given.reference.version:
        return False  # this version was asked for
    look = opened.backend(given.source).describe(given.reference)
    now = look.at(Stage.CURRENT) if isinstance(look, Described) else None
    return now is not None and now != given.version


def _wanted(variables: Mapping[str, str]) -> dict[str, Reference]:
    found: dict[str, Reference] = {}
    for name, value in sorted(variables.items()):
        if value.startswith(SCHEME):
            try:
                found[name] = parse(value)
            except UsageError as error:
                raise UsageError(f"{name}: {error}", remedy=error.remedy) from None
    if not found:
        raise UsageError(
            f"no variable holds {SCHEME}…, so there is nothing to resolve",
            remedy=f"set one, such as API_KEY={FORM}; then: stanch secrets run -- CMD",
        )
    return found


def _require_no_reference(command_line: tuple[str, ...]) -> None:
    if any(SCHEME in word for word in command_line):
        raise UsageError(
            "a reference stands in the arguments, which everybody on the machine can read",
            remedy="put it into a variable; see `stanch secrets run --help`",
        )


def _resolved(
    opened: Room, wanted: Mapping[str, Reference], by: Asker
) -> dict[Reference, Resolved]:
    given = {each: opened.resolver.resolve(each, by) for each in dict.fromkeys(wanted.values())}
    tell(tuple(dict.fromkeys(note for each in given.values() for note in each.notes)))
    return given

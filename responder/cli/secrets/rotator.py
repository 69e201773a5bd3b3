"""The options that say how a secret is rotated, and what they come to."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import click

from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.model.access import Asker
from stanch.responder.lifecycle.model.answer import Described
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.metadata import period, read
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.model.rotation import RotatorName
from stanch.responder.lifecycle.resolution.resolver import Resolved
from stanch.responder.lifecycle.rotation.course import LONGEST_KEPT
from stanch.responder.lifecycle.rotation.plain import Check, Plain
from stanch.responder.lifecycle.rotation.rotator import Rotator
from stanch.responder.lifecycle.sdk.room import Room
from stanch.scanner.model.secret import SecretValue

Command = TypeVar("Command", bound=Callable[..., Any])
_LARGEST = 65_536  # bytes; what stores hold


def rotator_options(command: Command) -> Command:
    """How it is rotated, where its tags do not say so."""
    for option in (
        click.option(
            "--check", metavar="CMD", help="Reads the new value on its input; 0: it works."
        ),
        click.option("--admin", metavar="secret://…", help="Who may set passwords there."),
        click.option(
            "--with",
            "rotator",
            type=click.Choice([str(each) for each in RotatorName]),
            help="How: a pair of users, random bits, or a value on standard input.",
        ),
    ):
        command = option(command)
    return command


def keep_of(text: str) -> timedelta:
    """``24h``, ``1h`` or ``0h``. Raises UsageError."""
    try:
        kept = timedelta(0) if text in {"0", "0h"} else period(text)
    except ValueError:
        kept = LONGEST_KEPT + timedelta(1)
    if kept > LONGEST_KEPT:
        raise UsageError(f"--keep {text}: not a period of 24h at most", remedy="write --keep 1h")
    return kept


@dataclass(frozen=True, slots=True, kw_only=True)
class How:
    """What the options say."""

    rotator: str | None
    admin: str | None
    check: str | None


def made(opened: Room, given: Resolved, by: Asker, how: How) -> Rotator:
    """The rotator that the options or the secret's tags name."""
    metadata, reference = given.metadata, given.reference
    name = RotatorName(how.rotator) if how.rotator else metadata.rotator if metadata else None
    if name is None:
        raise UsageError(
            f"nothing says how {reference} is rotated",
            remedy=f"name it once: stanch secrets annotate {reference} --rotator "
            f"{'|'.join(RotatorName)}, or --with here",
        )
    if name is RotatorName.POSTGRESQL:
        who = parse(how.admin) if how.admin else metadata.rotation_admin if metadata else None
        if who is None:
            raise UsageError(
                f"a pair of users wants somebody who may set their passwords: {reference}",
                remedy=f"stanch secrets annotate {reference} --rotation-admin secret://…/admin",
            )
        # Imported late: it brings the driver.
        from stanch.responder.lifecycle.rotation.postgresql import Postgresql  # noqa: PLC0415

        return Postgresql(admin=opened.resolver.resolve(who, by).value)
    program = Check(command=shlex.split(how.check)) if how.check else None
    return Plain(given=_brought() if name is RotatorName.VALUE else None, check=program)


def ending(
    opened: Room, source: Backend, reference: Reference, by: Asker, admin: str | None
) -> Rotator | None:
    """What ends the secret's value where it counts, as its tags say; None where nothing is known.

    Its metadata need not be complete: that is no reason to go on giving it.
    """
    look = source.describe(reference)
    known = read(look.tags).known if isinstance(look, Described) else {}
    who = admin or known.get("rotation-admin")
    if known.get("rotator") != RotatorName.POSTGRESQL or not who:
        return None
    # Imported late: it brings the driver.
    from stanch.responder.lifecycle.rotation.postgresql import Postgresql  # noqa: PLC0415

    return Postgresql(admin=opened.resolver.resolve(parse(who), by).value)


def _brought() -> SecretValue:
    if sys.stdin.isatty():
        raise UsageError(
            "the new value comes on standard input, which is a terminal",
            remedy="pipe it: a terminal and a shell's history keep what is typed",
        )
    value = sys.stdin.buffer.read(_LARGEST + 1).removesuffix(b"\n")
    if not value or len(value) > _LARGEST:
        raise UsageError(
            f"the new value has {len(value)} bytes", remedy=f"it may have 1 to {_LARGEST}"
        )
    return SecretValue(value)

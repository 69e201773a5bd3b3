"""What these commands share: the room, opened for a person or a process, and its record."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

import click
import msgspec

from stanch.responder.cli.account import account
from stanch.responder.config import Settings, load
from stanch.responder.domain.caller import at_command_line
from stanch.responder.lifecycle.backends.setting import environment
from stanch.responder.lifecycle.model.access import Access, AccessLog, Asker
from stanch.responder.lifecycle.model.segregation import Place
from stanch.responder.lifecycle.sdk.room import Room
from stanch.scanner.model.error import printable

Command = TypeVar("Command", bound=Callable[..., Any])


def place_options(command: Command) -> Command:
    """Where the secrets would be used, when it is not what stanch.toml says."""
    for option in (
        click.option("--tenant", metavar="NAME", help="Default: [secrets] tenant."),
        click.option("--env", "env", metavar="ENVIRONMENT", help="Default: [secrets] environment."),
    ):
        command = option(command)
    return command


def reason_option(command: Command) -> Command:
    """Why it is done."""
    return click.option("--reason", default="", metavar="TEXT", help="Why; it goes on the record.")(
        command
    )


def settings_for(env: str | None, tenant: str | None) -> Settings:
    """The configuration in force, with what the command line says about the place."""
    settings = load()
    given: dict[str, str] = {}
    if env is not None:
        given["environment"] = str(environment(env))
    if tenant is not None:
        given["tenant"] = tenant
    section = msgspec.structs.replace(settings.secrets, **given)
    section.place()  # refused here, before anything is opened
    return msgspec.structs.replace(settings, secrets=section)


def asker(settings: Settings, reason: str, *, name: str | None = None) -> Asker:
    """Who runs this command, and where. Raises UsageError as the other commands do for ``--as``."""
    by = at_command_line(settings.persons(), name, account())
    return Asker(
        actor=by.actor,
        account=by.account,
        where=f"{socket.gethostname()}/{os.getpid()}",
        why=reason,
    )


class LateLog:
    """The tamper-evident record, opened for the first access that is to be written into it.

    What happens in development is not recorded, and then nothing is opened.
    """

    def __init__(self, settings: Settings, opened: ExitStack) -> None:
        self._settings = settings
        self._opened = opened
        self._log: AccessLog | None = None

    def record(self, access: Access) -> None:
        """Write it down; what was recorded is anchored when the command ends."""
        if self._log is None:
            # Imported late: it brings the whole responder.
            from stanch.responder.bootstrap.record import open_access_log  # noqa: PLC0415
            from stanch.responder.telemetry import log  # noqa: PLC0415  # as above

            # Standard output is the value's.
            log.configure(level=os.environ.get("STANCH_LOG_LEVEL", "warning"), plain=True)
            self._log = open_access_log(self._settings, self._opened)
        self._log.record(access)


@contextmanager
def room(settings: Settings, *, place: Place | None = None) -> Iterator[Room]:
    """The room of secrets with its record."""
    with ExitStack() as opened:
        log = LateLog(settings, opened)
        yield opened.enter_context(Room(settings, log=log, place=place))


def tell(notes: tuple[str, ...]) -> None:
    """Notes for people, on standard error."""
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)

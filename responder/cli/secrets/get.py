"""``stanch secrets get``: one value, to where it is wanted and nowhere else."""

from __future__ import annotations

import os
import sys

import click

from stanch.responder.cli.secrets.desk import (
    asker,
    place_options,
    reason_option,
    room,
    settings_for,
    tell,
)
from stanch.responder.domain.error import UsageError
from stanch.responder.lifecycle.model.reference import parse
from stanch.scanner.model.secret import SecretValue


@click.command("get")
@click.argument("reference", metavar="secret://SERVICE/ENVIRONMENT/TOOL/NAME")
@click.option("--show", is_flag=True, help="Also write it when standard output is a terminal.")
@place_options
@reason_option
def command(
    *, reference: str, show: bool, env: str | None, tenant: str | None, reason: str
) -> None:
    """Write one secret's value to standard output, without a line feed behind it.

    A terminal keeps what it shows (scrollback, recordings, a shared screen), so a value goes there
    only with --show. Pipe it, or let `stanch secrets run` hand it to a program.

    Exit codes: 0 given, 1 refused, denied or absent, 2 usage or configuration, 3 a store did not
    answer.
    """
    wanted = parse(reference)
    if is_terminal() and not show:
        raise UsageError(
            "standard output is a terminal, which keeps what it shows: nothing was asked for",
            remedy=f"pipe it, or: stanch secrets get --show {wanted}",
        )
    settings = settings_for(env, tenant)
    with room(settings) as opened:
        given = opened.resolver.resolve(wanted, asker(settings, reason))
    tell(given.notes)
    _write(given.value)


def is_terminal() -> bool:
    """Whether a person would see what is written."""
    return sys.stdout.isatty()


def _write(value: SecretValue) -> None:
    sys.stdout.flush()
    left = memoryview(value.reveal())
    while left:
        left = left[os.write(1, left) :]

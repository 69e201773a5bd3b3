"""``stanch undo``: take back what a runbook did."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from stanch.responder.cli.session import caller, house, known, watch, working
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import label


@click.command("undo")
@click.argument("incident", metavar="LK-n")
@click.option("--as", "name", metavar="NAME", help="Who asks. Default: your login name.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def command(incident: str, name: str | None, yes: bool) -> None:  # noqa: FBT001  # click passes by name
    """Reverse every step of LK-n's newest run that Stanch itself did, newest first.

    Somebody else has to agree first (`stanch approve LK-n`), because the credential works again
    afterwards; until then everything stays. What somebody else changed in the meantime is left
    alone and said. After a step that cannot be undone, nothing is.

    Exit codes: 0 undone, or waits for the approval; 1 a reversal failed; 2 nothing can be undone,
    or usage.
    """
    console = Console(highlight=False)
    with house() as opened:
        number, by = known(opened, incident), caller(opened.settings, name)
        if not yes:
            if not sys.stdin.isatty():
                raise UsageError(
                    "undo needs a terminal to confirm it",
                    remedy=f"`stanch undo {label(number)} --yes` does it without asking",
                )
            console.print("The leaked credential will work again, for everybody who has it.")
            click.confirm("Undo?", abort=True)
        with working(opened):
            opened.responses.undo(number, by=by)
            fine = watch(opened, (number,), console)
    sys.exit(0 if fine else 1)

"""``stanch close``: say that an incident is over, and who does what is left to do."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from stanch.responder.bootstrap import House
from stanch.responder.cli.session import caller, house, watch, working
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, label, parse_label
from stanch.responder.postmortem.report import ActionItem
from stanch.responder.services.closing import Closure
from stanch.responder.terminal.text import visible


@click.command("close")
@click.argument("incident", metavar="LK-n")
@click.option("--as", "name", metavar="NAME", help="Who closes. Default: your login name.")
@click.option("--reason", metavar="TEXT", help="Why; it goes on the record.")
@click.option(
    "--owner",
    "owners",
    metavar="NAME|ACTION=NAME",
    multiple=True,
    help="Who does what is left: one name for all of it, or a name for each action.",
)
@click.option("--unproven", is_flag=True, help="Close although it is not proven dead.")
def command(
    incident: str,
    name: str | None,
    reason: str | None,
    owners: tuple[str, ...],
    unproven: bool,  # noqa: FBT001  # click passes by name
) -> None:
    """Close LK-n once its credential is dead and each action item has an owner.

    In a terminal, what the options leave open is asked. The owners stand in the postmortem; a new
    sighting of the credential, or `stanch respond LK-n`, opens the incident again.

    Exit codes: 0 closed, 2 refused by a rule, or usage.
    """
    console = Console(highlight=False)
    with house() as opened:
        number, by = parse_label(incident), caller(opened.settings, name)
        each, other = _owners(owners)
        left = [a for a in opened.closing.actions(number) if not a.owner and a.id not in each]
        if left and not other and sys.stdin.isatty():
            each |= _ask(left, console)
        closure = Closure(
            by=by, reason=reason or _reason(), owners=each, other=other, unproven=unproven
        )
        actions = opened.closing.close(number, closure)
        _say(opened, number, actions, console)


def _owners(given: tuple[str, ...]) -> tuple[dict[str, str], str | None]:
    """The owners by action, and the one of all others."""
    each, other = {}, None
    for text in given:
        action, separate, owner = text.rpartition("=")
        if not owner.strip() or (separate and not action.strip()):
            raise UsageError(
                f"{text!r} names no owner", remedy="write --owner NAME or --owner ACTION=NAME"
            )
        if separate:
            each[action.strip()] = owner
        else:
            other = owner
    return each, other


def _ask(left: list[ActionItem], console: Console) -> dict[str, str]:
    console.print("Who does what is left to do?")
    found: dict[str, str] = {}
    last = None
    for action in left:
        console.print(
            f"\n{visible(action.what)}\n  because {visible(action.because)}", markup=False
        )
        last = str(click.prompt("  owner", default=last))
        found[action.id] = last
    return found


def _reason() -> str:
    if not sys.stdin.isatty():
        raise UsageError("closing needs a reason", remedy="add --reason TEXT")
    return str(click.prompt("Reason"))


def _say(
    opened: House, number: IncidentId, actions: tuple[ActionItem, ...], console: Console
) -> None:
    with working(opened):
        watch(opened, (number,), console)
    for action in actions:
        console.print(f"  {visible(action.owner or '')}: {visible(action.what)}", markup=False)
    console.print(f"`stanch postmortem {label(number)}` writes them down")

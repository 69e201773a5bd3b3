"""``stanch close``: say that an incident is over, and who does what is left to do."""

from __future__ import annotations

import sys
from dataclasses import replace

import click
from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from stanch.responder.bootstrap import House
from stanch.responder.cli.session import caller, house, watch, working
from stanch.responder.domain.card import Card
from stanch.responder.domain.error import StanchError, UsageError
from stanch.responder.domain.ids import IncidentId, label, parse_label
from stanch.responder.postmortem.report import ActionItem
from stanch.responder.services.closing import Closure, Disposition
from stanch.responder.terminal.text import visible


@click.command("close")
@click.argument("incidents", metavar="LK-n...", nargs=-1, required=True)
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
@click.option(
    "--disposition",
    type=click.Choice([each.value for each in Disposition]),
    help="What it turned out to be, where nothing is to be proven dead.",
)
def command(
    incidents: tuple[str, ...],
    name: str | None,
    reason: str | None,
    owners: tuple[str, ...],
    unproven: bool,  # noqa: FBT001  # click passes by name
    disposition: str | None,
) -> None:
    """Close each LK-n once its credential is dead and each action item has an owner.

    In a terminal, what the options leave open is asked. The owners stand in the postmortem; a new
    sighting of the credential, or `stanch respond LK-n`, opens the incident again.

    Exit codes: 0 closed, 2 refused by a rule, or usage; what could be closed is closed.
    """
    numbers = tuple(dict.fromkeys(map(parse_label, incidents)))
    each, other = _owners(owners)
    if len(numbers) > 1 and each:
        raise UsageError(
            "--owner ACTION=NAME is about one incident", remedy="use --owner NAME, or close one"
        )
    with house() as opened:
        closure = Closure(
            by=caller(opened.settings, name),
            reason=reason or "",
            owners=each,
            other=other,
            unproven=unproven,
            disposition=Disposition(disposition) if disposition else None,
        )
        refused = _close_all(opened, numbers, closure)
    sys.exit(2 if refused else 0)


def _close_all(opened: House, numbers: tuple[IncidentId, ...], closure: Closure) -> int:
    """Close what can be closed; how many could not be."""
    console = Console(highlight=False)
    refused = 0
    for number in numbers:
        try:
            closure = _close(opened, number, closure, console, alone=len(numbers) == 1)
        except StanchError as error:
            if len(numbers) == 1:
                raise
            refused += 1
            click.echo(f"error: {error}\n  help: {error.remedy}", err=True)
    return refused


def _close(
    opened: House, number: IncidentId, closure: Closure, console: Console, *, alone: bool
) -> Closure:
    """Close one; returns what was said, with the reason, which holds for the others too."""
    actions = opened.closing.actions(number)
    left = [a for a in actions if not a.owner and a.id not in closure.owners]
    owners = closure.owners
    if left and not closure.other and not closure.disposition and sys.stdin.isatty():
        owners = {**owners, **_ask(left, console)}
    closure = replace(closure, reason=closure.reason or _reason())
    seen = opened.cards.card(number)
    actions = opened.closing.close(number, replace(closure, owners=owners))
    if alone:
        _say(opened, seen, actions, console)
    else:
        console.print(f"{label(number)}: closed")
    return closure


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


def _say(opened: House, seen: Card, actions: tuple[ActionItem, ...], console: Console) -> None:
    with working(opened):
        watch(opened, (seen.incident,), console, seen=(seen,))
    for action in actions:
        if action.owner:
            said = Text(f"{visible(action.owner)}: {visible(action.what)}")
            console.print(Padding(said, (0, 0, 0, 2)))
    console.print(f"`stanch postmortem {label(seen.incident)}` writes them down")

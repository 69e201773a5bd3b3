"""``stanch audit``: verify the record, or read it."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from stanch.responder.bootstrap import open_house
from stanch.responder.cli.session import caller, house
from stanch.responder.config import load
from stanch.responder.domain.approval import reasoned
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import label, parse_label
from stanch.responder.domain.json import canonical
from stanch.responder.services.casefiles import sentence
from stanch.responder.services.people import seal
from stanch.responder.terminal.text import visible

_AFTER_TAMPERING = (
    "stop the workers, find out who writes to the database, restore it from a backup that still "
    "agrees with the anchors, then `stanch audit verify` again; what it names is not Stanch's doing"
)


@click.group("audit")
def command() -> None:
    """Verify the tamper-evident record, or read it."""


@command.command("verify")
def verify() -> None:
    """Check chain, protection and anchors of every entry, and every row against the record.

    Detects edit, deletion, reordering, truncation, rollback and forks, rows that this installation
    did not write, and triggers. Entries after the newest
    anchor could still be cut off; they are counted, never called verified.

    Exit codes: 0 intact and anchored, 1 tampered, 3 intact but not anchored to the end.
    """
    # Not through session.house(): anchoring first would vouch for what is to be judged.
    with open_house(load()) as opened:
        verdict, _ = opened.casefiles.verdict()
        rows = opened.casefiles.rows()
    click.echo(sentence(verdict))
    for each in rows:
        click.echo(f"TAMPERED: {visible(each)}")
    if rows or not verdict.intact:
        click.echo(f"  help: {_AFTER_TAMPERING}", err=True)
    sys.exit(1 if rows or not verdict.intact else 3 if verdict.tail else 0)


@command.command("anchor")
@click.option("--begin", is_flag=True, required=True, help="Begin lost anchors anew.")
@click.option("--as", "name", metavar="NAME", help="Who says so. Default: your login name.")
@click.option("--reason", metavar="TEXT", required=True, help="Why; it goes on the record.")
def anchor(*, begin: bool, name: str | None, reason: str) -> None:
    """Begin anew with anchors that are lost for good. The record says who did it, and why.

    Until then nothing is anchored: whoever took the anchors away could have cut the record.

    Exit codes: 0 begun, 2 no anchors are missing, or usage.
    """
    del begin  # said, so that nobody begins by mistake
    settings = load()
    said = reasoned(reason)
    by = caller(settings, name)
    with open_house(settings) as opened:
        opened.anchoring.begin_anew(by=by, reason=said)
    click.echo(f"anchors begun anew by {by.name}: on the record")


@command.command("people")
@click.option("--seal", "sealing", is_flag=True, help="Seal the configured people.")
@click.option("--as", "name", metavar="NAME", help="Who says so. Default: your login name.")
@click.option("--reason", metavar="TEXT", help="Why; it goes on the record.")
def people(*, sealing: bool, name: str | None, reason: str | None) -> None:
    """Show who may decide, or seal the [people] of stanch.toml on the record.

    A person counts as the file and the record both say. Only who is on the record can seal others.

    Exit codes: 0 shown or sealed, 2 refused, or usage.
    """
    settings = load()
    with open_house(settings) as opened:
        if sealing:
            by, said = caller(settings, name), reasoned(reason or "")
            seal(opened.store, settings.persons(), by=by, reason=said)
            opened.anchor()
        for person in opened.approvals.people.values():
            click.echo(f"{visible(person.name)}: {', '.join(sorted(person.groups)) or 'no group'}")


@command.command("log")
@click.argument("incident", metavar="[LK-n]", required=False)
def log(incident: str | None) -> None:
    """Print the record, or what it says about LK-n: one entry a line.

    Exit codes: 0 printed, 2 there is no such incident.
    """
    console = Console(highlight=False, soft_wrap=True)
    with house() as opened, opened.store.snapshot() as tx:
        number = parse_label(incident) if incident else None
        if number is not None and tx.incidents.get(number) is None:
            raise UsageError(
                f"there is no incident {label(number)}", remedy="`stanch incidents` lists them"
            )
        for entry in tx.ledger.entries(number):
            event = entry.event
            about = label(event.incident) if event.incident else "-"
            console.print(
                f"{entry.seq:>5}  {event.at:%Y-%m-%d %H:%M:%S.%f}  {about:<7} "
                f"{visible(event.actor):<12} {event.action:<22} "
                f"{visible(canonical(event.detail).decode())}",
                markup=False,
            )

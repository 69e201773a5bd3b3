"""``stanch audit``: verify the record, or read it."""

from __future__ import annotations

import sys

import click
from rich.console import Console

from stanch.responder.bootstrap import open_house
from stanch.responder.cli.session import house
from stanch.responder.config import load
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import label, parse_label
from stanch.responder.domain.json import canonical
from stanch.responder.services.casefiles import sentence
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

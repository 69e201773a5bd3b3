"""``stanch incidents``: what is open, or one incident's card."""

from __future__ import annotations

import click
from rich.console import Console

from stanch.responder.bootstrap import House
from stanch.responder.cli.session import house
from stanch.responder.domain.card import Card
from stanch.responder.domain.ids import IncidentId, parse_label
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.services.fact import age
from stanch.responder.terminal.panel import panel
from stanch.responder.terminal.table import IncidentRow, incident_table


@click.command("incidents")
@click.argument("incident", metavar="[LK-n]", required=False)
@click.option("--all", "every", is_flag=True, help="Also those that are closed.")
def command(incident: str | None, every: bool) -> None:  # noqa: FBT001  # click passes by name
    """List the incidents that are not closed, newest first; with LK-n show one card.

    Exit codes: 0 shown, 2 there is no such incident.
    """
    console = Console(highlight=False)
    with house() as opened:
        if incident is not None:
            console.print(panel(opened.cards.card(parse_label(incident))))
            return
        with opened.store.snapshot() as tx:
            now = tx.now()
            shown = [i for i in tx.incidents.list() if every or i.state is not IncidentState.CLOSED]
        if not shown:
            console.print("no incidents" if every else "no open incidents; --all shows the others")
            return
        rows = [_row(opened, each, age(now - each.detected_at)) for each in shown]
        console.print(incident_table(rows))


def _row(opened: House, incident: Incident, old: str) -> IncidentRow:
    card: Card = opened.cards.card(incident.id)
    return IncidentRow(
        incident=incident.id,
        state=incident.state,
        severity=incident.severity,
        credential=f"{opened.cards.words.credential(incident)} {incident.preview}",
        place=_place(opened, incident.id),
        age=old,
        wanted=_wanted(card, incident),
    )


def _wanted(card: Card, incident: Incident) -> str:
    """What a person has to do next."""
    if card.ask:
        return f"approval by {card.ask.expires_at:%H:%M} UTC"
    if incident.state is IncidentState.PROVEN_DEAD:
        return "owners for the action items, then close it"
    return card.failure or ""


def _place(opened: House, incident: IncidentId) -> str:
    with opened.store.snapshot() as tx:
        exposures = tx.incidents.exposures(incident)
    if not exposures:
        return ""
    first, more = exposures[0], len(exposures) - 1
    return f"{first.root}: {first.path}:{first.line}" + (f" and {more} more" if more else "")

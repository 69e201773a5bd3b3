"""``stanch incidents``: what is open, or one incident's card."""

from __future__ import annotations

import click
from rich.console import Console

from stanch.responder.cli.session import house
from stanch.responder.domain.ids import parse_label
from stanch.responder.services.listing import Listing
from stanch.responder.terminal.panel import panel
from stanch.responder.terminal.table import incident_table

_ALL = 1_000_000


@click.command("incidents")
@click.argument("incident", metavar="[LK-n]", required=False)
@click.option("--all", "every", is_flag=True, help="Also those that are closed.")
def command(incident: str | None, every: bool) -> None:  # noqa: FBT001  # click passes by name
    """List the incidents that are not closed, worst first; with LK-n show one card.

    Exit codes: 0 shown, 2 there is no such incident.
    """
    console = Console(highlight=False)
    with house() as opened:
        if incident is not None:
            console.print(panel(opened.cards.card(parse_label(incident))))
            return
        listing = Listing(store=opened.store, cards=opened.cards)
        rows, _ = listing.rows(most=_ALL, closed=every)
        if not rows:
            console.print("no incidents" if every else "no open incidents; --all shows the others")
            return
        console.print(incident_table(rows))

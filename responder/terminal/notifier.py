"""Cards in a terminal: the whole panel once, then a line for each change that matters."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console, Group
from rich.padding import Padding
from rich.text import Text

from stanch.responder.domain.card import Card, CardRef, Mark
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.terminal.panel import panel, phase_line
from stanch.responder.terminal.text import visible


class TerminalNotifier:
    """Implements ``Notifier``. A terminal cannot be edited, so an edit prints what changed.

    The whole panel is printed for a new card, and when a decision is wanted, something failed, or
    nothing is left to do; progress in between is a few lines; anything else is silence. ``seen``
    are the cards that whoever watches has before them already.
    """

    name = "terminal"

    def __init__(self, console: Console, *, seen: Iterable[Card] = ()) -> None:
        self._console = console
        self._shown: dict[IncidentId, Card] = {card.incident: card for card in seen}

    def publish(self, card: Card, at: CardRef | None) -> CardRef:
        """Print the card, or what changed since it was last printed here."""
        before = self._shown.get(card.incident)
        self._shown[card.incident] = card
        if before is None or _matters(before, card):
            self._console.print(panel(card))
        elif before.phases != card.phases or before.headline != card.headline:
            self._console.print(_line(card))
        return at or CardRef(channel=self.name, ts=label(card.incident))


def _matters(before: Card, now: Card) -> bool:
    """Something that a person would want to see the whole card for."""
    wanted = now.ask is not None and (before.ask is None or before.ask.approval != now.ask.approval)
    failed = now.failure is not None and now.failure != before.failure
    over = _over(now) and not _over(before)
    return wanted or failed or over or (now.next != before.next and bool(now.next))


def _over(card: Card) -> bool:
    return bool(card.phases) and all(mark is Mark.DONE for _, mark in card.phases)


def _line(card: Card) -> Group:
    head = Text(f"{card.updated_at:%H:%M:%S}  ", style="dim")
    head.append(visible(card.headline), style="not dim bold")
    said = Text(visible(card.summary))
    rest = Group(said, phase_line(card.phases)) if card.phases else Group(said)
    return Group(head, Padding(rest, (0, 0, 0, 10)))

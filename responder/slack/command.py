"""What ``/leak`` answers. Nothing that was typed is ever repeated."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stanch.responder.domain.card import Card
from stanch.responder.domain.error import StanchError
from stanch.responder.domain.ids import label, parse_label
from stanch.responder.slack.blocks import Block, context, next_section, section, told
from stanch.responder.slack.desk import Desk
from stanch.responder.slack.text import moment, said

# No command and no incident has a word this long; tokens, keys and passwords in URLs do.
_SECRET = re.compile(r"[^\s]{16,}")
_MAX_ROWS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer for one person. ``blocks`` may be empty."""

    text: str
    blocks: list[Block]


def looks_secret(text: str) -> bool:
    """True for anything that could be a credential; nothing valid is taken for one."""
    return _SECRET.search(text) is not None or "-----" in text


def help_text() -> str:
    """The map of the command."""
    return (
        "`/leak list` open incidents\n"
        "`/leak show LK-7` one incident as it is now\n"
        "`/leak help` this text\n"
        "Decisions are taken with the Review button on an incident's card."
        " Never type a secret here."
    )


def reply(desk: Desk, text: str) -> Reply:
    """The answer to ``/leak text``."""
    verb, _, rest = text.partition(" ")
    try:
        if verb == "list" and not rest:
            return _list(desk.cards())
        if verb == "show":
            return _show(desk.card(parse_label(rest)))
    except StanchError as error:
        # The message may quote what was typed, so only the remedy is passed on.
        return Reply(text=f"That did not work: {said(error.remedy, 500)}", blocks=[])
    return Reply(text="That is not a command.\n" + help_text(), blocks=[])


def _list(cards: tuple[Card, ...]) -> Reply:
    if not cards:
        return Reply(text="No incident is open.", blocks=[])
    blocks = [section(_row(card)) for card in cards[:_MAX_ROWS]]
    if len(cards) > _MAX_ROWS:
        blocks.append(context(f"and {len(cards) - _MAX_ROWS} more: `stanch incidents`"))
    return Reply(text=f"{len(cards)} open incidents", blocks=blocks)


def _row(card: Card) -> str:
    wanted = f"\n*Wanted:* {said(card.wanted, 300)}" if card.wanted else ""
    return f"*{label(card.incident)}* {said(card.headline, 200)}\n{said(card.summary, 300)}{wanted}"


def _show(card: Card) -> Reply:
    """The card without its button: a decision is taken on the card that everybody sees."""
    blocks = told(card)
    if card.ask is not None:
        blocks.append(section(f"*Wanted:* {said(card.wanted, 300)}, on the card in the channel"))
    elif card.next:
        blocks.append(next_section(card))
    blocks.append(context(f"updated {moment(card.updated_at)}"))
    return Reply(text=said(f"{card.headline}. {card.summary}", 1000), blocks=blocks)

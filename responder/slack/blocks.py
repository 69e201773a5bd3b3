"""Card -> Slack message. Pure; stays inside Slack's limits whatever the card holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from stanch.responder.domain.card import CLAIMED, LINK, Ask, Card, Mark, Next
from stanch.responder.domain.ids import ApprovalId, label
from stanch.responder.domain.runbook import Phase
from stanch.responder.slack.button import ButtonKey, Press
from stanch.responder.slack.text import bare, clip, linked, moment, said

Block = dict[str, Any]

REVIEW, CLOSE = "leak.review.v1", "leak.close.v1"
CLOSE_PRESS = ApprovalId("close")  # what a Close button carries where a Review names its approval
_MAX_CALLS = 5  # on the card; the modal shows all of them
# Sizes are ours: with them a message cannot exceed the 10,000 characters Slack accepts in all.
_LABEL, _VALUE, _SENTENCE, _CALL = 60, 200, 600, 240
_MAX_FACTS = 10  # Slack takes no more fields in a section
_MORE_FACTS, _MORE_VALUE = 5, 120  # in a second one


@dataclass(frozen=True, slots=True, kw_only=True)
class CardMessage:
    """The arguments of chat.postMessage and chat.update that show a card."""

    text: str
    blocks: list[Block]


def card_message(card: Card, key: ButtonKey) -> CardMessage:
    """The card as blocks: a Review button while a decision is wanted, Close when it may be."""
    blocks = told(card)
    if card.ask is not None:
        blocks += _ask(card, card.ask, key)
    elif card.next:
        blocks.append(next_section(card))
    if card.ask is None and card.closable:
        press = Press(incident=card.incident, approval=CLOSE_PRESS, version=card.version)
        about = f"Close {label(card.incident)}"
        blocks.append(button(CLOSE, "Close…", value=key.sign(press), about=about))
    blocks.append(context(f"{label(card.incident)} · updated {moment(card.updated_at)}"))
    return CardMessage(text=_fallback(card), blocks=blocks)


def told(card: Card) -> list[Block]:
    """What the card says, without what it asks."""
    blocks: list[Block] = [
        {"type": "header", "text": plain(bare(card.headline, 150))},
        *([section(f"*{said(card.warning, _SENTENCE)}*")] if card.warning else []),
        *([section(plan_line(card.phases))] if card.phases else []),
        section(said(card.summary, _SENTENCE)),
    ]
    if card.failure is not None:
        blocks.append(section(f"*What failed:* {said(card.failure, _SENTENCE)}"))
    blocks += _facts(card)
    if card.by_hand:
        lines = "\n".join(bare(step, _CALL) for step in card.by_hand[:_MAX_CALLS])
        blocks += [section("*By hand at the provider, meanwhile:*"), preformatted(lines)]
    return blocks


def next_section(card: Card) -> Block:
    """What may safely be done now."""
    return section("\n".join(map(_next, card.next)))


def plan_line(phases: tuple[tuple[Phase, Mark], ...]) -> str:
    """``✓ Contain ▸ … Identify (now) ▸ Revoke``: said in words too, not by a sign alone."""
    return "  ▸  ".join(_phase(phase, mark) for phase, mark in phases)


def _phase(phase: Phase, mark: Mark) -> str:
    name = phase.value.capitalize()
    return f"{mark.sign} *{name}* ({mark.words})" if mark.urgent else f"{mark.sign} {name}"


def _next(step: Next) -> str:
    typed = f": `{said(step.command, _CALL)}`" if step.command else ""
    return f"{said(step.what, _CALL).capitalize()}{typed}"


def _facts(card: Card) -> list[Block]:
    """What matters most in full, a few more in short; how many are left out is said."""
    first, more = card.facts[:_MAX_FACTS], card.facts[_MAX_FACTS:]
    fields = [_field(name, value, _VALUE) for name, value in first]
    short = [_field(name, value, _MORE_VALUE) for name, value in more[:_MORE_FACTS]]
    if len(more) > _MORE_FACTS:
        left = len(more) - _MORE_FACTS + 1
        short[-1] = _field(
            "More", f"{left} more facts: stanch incidents {label(card.incident)}", 99
        )
    return [{"type": "section", "fields": part} for part in (fields, short) if part]


def _field(name: str, value: str, high: int) -> Block:
    shown = linked(value, high) if name == LINK else said(value, high)
    return mrkdwn(f"*{said(name, _LABEL)}*\n{shown}")


def _ask(card: Card, ask: Ask, key: ButtonKey) -> list[Block]:
    shown = ask.calls[:_MAX_CALLS]
    lines = [bare(call, _CALL) for call in shown]
    if len(shown) < len(ask.calls):
        lines.append(f"and {len(ask.calls) - len(shown)} more, all of them under Review")
    value = key.sign(Press(incident=card.incident, approval=ask.approval, version=card.version))
    return [
        {"type": "divider"},
        section(f"*Decision wanted:* {said(ask.title, _SENTENCE)}"),
        *([preformatted("\n".join(lines))] if lines else []),
        context(terms(ask)),
        *([context(said(CLAIMED, 300))] if ask.claimed else []),
        button(
            REVIEW,
            "Review",
            value=value,
            about=f"Review the decision for {label(card.incident)}",
            style="primary",
        ),
    ]


def button(action: str, text: str, *, value: str, about: str, **style: str) -> Block:
    """One button in a row of its own; ``about`` is what a screen reader says."""
    element = {
        "type": "button",
        "action_id": action,
        "text": plain(text),
        "value": value,
        "accessibility_label": clip(about, 75),
        **style,
    }
    return {"type": "actions", "elements": [element]}


def terms(ask: Ask) -> str:
    """Who asked, who may decide, until when, and what silence means: mrkdwn."""
    return (
        f"Asked by {said(ask.requester, _LABEL)}"
        f" · decided by {said(ask.whom, _VALUE)}"
        f" · until {moment(ask.expires_at)}\nIf nobody decides: {said(ask.silence, 300)}"
    )


def _fallback(card: Card) -> str:
    wanted = f" Decision wanted: {card.ask.title}" if card.ask is not None else ""
    warning = f"{card.warning} " if card.warning else ""
    return said(f"{warning}{card.headline}. {card.summary}{wanted}", 1000)


def plain(text: str) -> Block:
    """A plain_text object; emoji codes stay letters."""
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str) -> Block:
    """A mrkdwn object in which Slack finds no links and mentions by itself."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def section(text: str) -> Block:
    """A paragraph of mrkdwn."""
    return {"type": "section", "text": mrkdwn(text)}


def context(text: str) -> Block:
    """Small print."""
    return {"type": "context", "elements": [mrkdwn(text)]}


def preformatted(text: str) -> Block:
    """Exact text: rich text is never parsed, so nothing in it can be a link or a mention."""
    return {
        "type": "rich_text",
        "elements": [
            {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": text}]}
        ],
    }

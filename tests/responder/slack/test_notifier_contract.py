"""Every notifier keeps the same promise: one card per incident, edited in place."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from rich.console import Console

from stanch.responder.domain.card import Card
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.ports import Notifier
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.slack.notifier import SlackNotifier
from stanch.responder.slack.setting import SlackSettings
from stanch.responder.terminal.notifier import TerminalNotifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Surface:
    """A notifier, and what a person sees of it."""

    notifier: Notifier
    seen: Callable[[], str]


@pytest.fixture(params=["slack", "terminal"])
def surface(request: pytest.FixtureRequest) -> Surface:
    if request.param == "slack":
        slack: SlackLab = request.getfixturevalue("slack")
        settings: SlackSettings = request.getfixturevalue("settings")
        return Surface(notifier=SlackNotifier.connect(settings), seen=lambda: str(slack.messages()))
    written = io.StringIO()
    return Surface(
        notifier=TerminalNotifier(Console(file=written, width=80, no_color=True)),
        seen=written.getvalue,
    )


def test_a_card_is_shown_with_its_state_its_facts_and_its_question(
    surface: Surface, card: Card
) -> None:
    surface.notifier.publish(card, None)
    assert card.ask is not None
    for wanted in (card.headline, "AKIA…7Q2M", card.ask.title, card.ask.calls[0], "alice"):
        assert wanted in surface.seen()


def test_an_edit_keeps_the_cards_place(surface: Surface, card: Card) -> None:
    first = surface.notifier.publish(card, None)
    newer = replace(card, version=4, ask=None, headline="PROVEN DEAD · LK-7")
    assert surface.notifier.publish(newer, first) == first
    assert "PROVEN DEAD · LK-7" in surface.seen()


def test_showing_the_same_card_twice_shows_it_once(surface: Surface, card: Card) -> None:
    first = surface.notifier.publish(card, None)
    surface.notifier.publish(card, first)
    surface.notifier.publish(card, None)
    assert card.ask is not None
    assert surface.seen().count(card.ask.calls[0]) == 1


def test_two_incidents_have_two_places(surface: Surface, card: Card) -> None:
    other = replace(card, incident=IncidentId(8))
    assert surface.notifier.publish(card, None) != surface.notifier.publish(other, None)


def test_hostile_text_reaches_nobody_raw(surface: Surface, card: Card) -> None:
    hostile = "\x1b]0;owned\x07 \u202egnp.exe <!channel> <https://evil.invalid|click>"
    bad = replace(card, facts=(("Path", hostile),), summary=hostile, headline=hostile)
    surface.notifier.publish(bad, None)
    assert not {"\x1b", "\x07", "\u202e"} & set(surface.seen())

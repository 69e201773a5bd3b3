"""Close → modal → closed, over real HTTP and WebSocket."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stanch.responder.domain.card import Card
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.lab.slack.world import View
from stanch.responder.slack.blocks import CLOSE, REVIEW, card_message
from stanch.responder.slack.button import ButtonKey
from stanch.responder.slack.closing import OWNER, STALE, close_view
from stanch.responder.slack.frame import FOREIGN, FORGED, LATE
from stanch.responder.slack.modal import REASON
from stanch.responder.slack.notifier import SlackNotifier
from stanch.responder.slack.setting import SlackSettings
from stanch.scanner.model.secret import SecretValue

pytestmark = pytest.mark.usefixtures("door")
WHY = "dead, and its consumer works"
Join = Callable[[str], str]
Message = dict[str, Any]


@pytest.fixture
def posted(slack: SlackLab, settings: SlackSettings, desk: Any, card: Card) -> Message:
    """The card of an incident of which nothing is left but the word that it is over."""
    desk.shown = replace(card, ask=None, closable=True, headline="PROVEN DEAD · LK-7")
    SlackNotifier.connect(settings).publish(desk.shown, None)
    return slack.messages()[0]


def open_modal(slack: SlackLab, user: str, message: Message) -> View:
    assert slack.click(user, message, CLOSE).acked
    view = slack.wait(lambda: slack.views(user))[0]
    assert isinstance(view, View)
    return view


def test_a_person_closes_and_names_who_does_what_is_left(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    assert "Install the commit hook" in str(view.content)
    assert "<!channel>" not in str(view.content)
    assert slack.submit(bob, view, {OWNER: "dana", REASON: WHY}).acked
    assert not slack.views(bob)
    assert desk.closed == [(desk.shown.incident, "bob", "dana", WHY)]


@pytest.mark.parametrize("forged", ["", "x", "[]", '[null, "C1"]'])
def test_a_form_that_is_none_of_ours_closes_nothing(
    slack: SlackLab, desk: Any, join: Join, posted: Message, forged: str
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    view.content["private_metadata"] = forged
    answer = slack.submit(bob, view, {OWNER: "dana", REASON: WHY}).payload
    assert answer["errors"] == {REASON: FOREIGN}
    assert not desk.closed


def test_where_everything_has_an_owner_only_the_reason_is_asked(desk: Any) -> None:
    view = close_view(desk.shown.incident, (), "C1")
    assert [b["block_id"] for b in view["blocks"] if b["type"] == "input"] == [REASON]


@pytest.mark.parametrize("reason", ["short", "the value was " + "x1" * 12])
def test_a_reason_that_cannot_be_kept_is_explained(
    slack: SlackLab, desk: Any, join: Join, posted: Message, reason: str
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    answer = slack.submit(bob, view, {OWNER: "dana", REASON: reason}).payload
    assert answer["response_action"] == "errors"
    assert REASON in answer["errors"]
    assert desk.closed == []


def test_a_person_nobody_knows_closes_nothing(slack: SlackLab, desk: Any, posted: Message) -> None:
    stranger = slack.add_user("mallory")
    view = open_modal(slack, stranger, posted)
    answer = slack.submit(stranger, view, {OWNER: "dana", REASON: WHY}).payload
    assert "not known" in answer["errors"][REASON]
    assert desk.closed == []


def test_a_card_that_moved_on_is_not_closed(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    desk.shown = replace(desk.shown, closable=False)
    slack.click(bob, posted, CLOSE)
    assert slack.wait(lambda: slack.ephemerals(bob))[0].text == STALE
    assert not slack.views(bob)


def test_a_review_button_and_a_forged_one_close_nothing(
    slack: SlackLab, settings: SlackSettings, desk: Any, join: Join, card: Card, posted: Message
) -> None:
    bob = join("bob")
    asking = card_message(card, ButtonKey(settings.button_key))
    foreign = card_message(desk.shown, ButtonKey(SecretValue(bytes(32))))
    for message in (asking, foreign):
        (row,) = [block for block in message.blocks if block["type"] == "actions"]
        (button,) = row["elements"]
        button["action_id"] = CLOSE
        slack.click(bob, posted | {"blocks": message.blocks}, CLOSE)
    assert [each.text for each in slack.wait(lambda: slack.ephemerals(bob)[1:])] == [FORGED]
    assert not slack.views(bob)


def test_who_waits_too_long_is_told_that_it_goes_on(
    slack: SlackLab, desk: Any, join: Join, posted: Message
) -> None:
    bob = join("bob")
    view = open_modal(slack, bob, posted)
    desk.gate.clear()
    try:
        assert slack.submit(bob, view, {OWNER: "dana", REASON: WHY}).acked
        assert [each.text for each in slack.wait(lambda: slack.ephemerals(bob))] == [LATE]
    finally:
        desk.gate.set()
    slack.wait(lambda: desk.closed)


def test_a_card_offers_one_button_at_a_time(card: Card, settings: SlackSettings) -> None:
    key = ButtonKey(settings.button_key)
    both = card_message(replace(card, closable=True), key)
    assert REVIEW in str(both.blocks)
    assert CLOSE not in str(both.blocks)

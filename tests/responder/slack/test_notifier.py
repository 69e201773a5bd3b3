"""What the Slack notifier does when Slack throttles, hangs up or refuses."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.responder.domain.card import Card
from stanch.responder.domain.error import Retryable
from stanch.responder.lab.slack.fault import (
    Broken,
    Fault,
    LostAnswer,
    RateLimited,
    Refused,
    Unreachable,
)
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.lab.slack.world import BOT_SCOPES
from stanch.responder.slack.notifier import SlackNotifier
from stanch.responder.slack.setting import SlackSettings
from stanch.responder.slack.wire import AnswerLost, SlackError
from stanch.scanner.model.secret import SecretValue


@pytest.fixture
def notifier(settings: SlackSettings) -> SlackNotifier:
    return SlackNotifier.connect(settings)


def test_throttling_is_handed_back_with_slacks_own_wait(
    slack: SlackLab, notifier: SlackNotifier, card: Card
) -> None:
    slack.fail("chat.postMessage", RateLimited(after=7))
    with pytest.raises(Retryable) as caught:
        notifier.publish(card, None)
    assert caught.value.after == timedelta(seconds=7)
    assert not slack.messages()


def test_a_lost_answer_does_not_make_a_second_card(
    slack: SlackLab, notifier: SlackNotifier, card: Card
) -> None:
    slack.fail("chat.postMessage", LostAnswer())
    with pytest.raises(AnswerLost):
        notifier.publish(card, None)
    assert len(slack.messages()) == 1
    ref = notifier.publish(replace(card, headline="PROVEN DEAD · LK-7"), None)
    (message,) = slack.messages()
    assert message["ts"] == ref.ts
    assert message["blocks"][0]["text"]["text"] == "PROVEN DEAD · LK-7"


@pytest.mark.parametrize("fault", [Unreachable(), Broken(), Refused(error="internal_error")])
def test_an_outage_is_tried_again_later(
    slack: SlackLab, notifier: SlackNotifier, card: Card, fault: Fault
) -> None:
    slack.fail("chat.postMessage", fault)
    with pytest.raises(Retryable):
        notifier.publish(card, None)
    notifier.publish(card, None)
    assert len(slack.messages()) == 1


def test_without_the_history_scope_cards_are_still_posted(card: Card) -> None:
    with SlackLab.start(scopes=BOT_SCOPES - {"channels:history"}) as slack:
        notifier = SlackNotifier.connect(_settings(slack, b"k" * 32))
        notifier.publish(card, None)
        assert len(slack.messages()) == 1


def test_two_installations_in_one_channel_keep_their_own_cards(slack: SlackLab, card: Card) -> None:
    SlackNotifier.connect(_settings(slack, b"a" * 32)).publish(card, None)
    SlackNotifier.connect(_settings(slack, b"b" * 32)).publish(card, None)
    assert len(slack.messages()) == 2


def test_a_deleted_card_is_posted_anew(
    slack: SlackLab, notifier: SlackNotifier, card: Card
) -> None:
    first = notifier.publish(card, None)
    slack.remove_message(first.channel, first.ts)
    second = notifier.publish(card, first)
    assert [m["ts"] for m in slack.messages()] == [second.ts]


def test_cards_unfurl_no_links_and_carry_their_incident(
    slack: SlackLab, notifier: SlackNotifier, card: Card
) -> None:
    notifier.publish(card, None)
    (message,) = slack.messages()
    assert message["unfurl_links"] in {False, "0", "false", "False"}
    assert message["metadata"]["event_payload"]["incident_id"] == 7


@pytest.mark.parametrize(
    ("code", "remedy"),
    [
        ("not_in_channel", "invite the app"),
        ("channel_not_found", "check [slack] channel"),
        ("invalid_auth", "set the bot token"),
        ("restricted_action", "ask an administrator"),
    ],
)
def test_a_refusal_says_what_to_do(
    slack: SlackLab, notifier: SlackNotifier, card: Card, code: str, remedy: str
) -> None:
    slack.fail("chat.postMessage", Refused(error=code))
    with pytest.raises(SlackError) as caught:
        notifier.publish(card, None)
    assert code in str(caught.value)
    assert remedy in caught.value.remedy


def test_a_wrong_token_never_shows_in_the_error(slack: SlackLab, card: Card) -> None:
    token = "-".join(("xoxb", "f" * 24))
    settings = replace(_settings(slack, b"k" * 32), bot_token=SecretValue(token.encode()))
    with pytest.raises(SlackError) as caught:
        SlackNotifier.connect(settings).publish(card, None)
    assert caught.value.code == "invalid_auth"
    assert token not in repr(caught.value) + str(caught.value.__context__)


def _settings(slack: SlackLab, key: bytes) -> SlackSettings:
    return SlackSettings(
        bot_token=slack.bot_token,
        app_token=slack.app_token,
        button_key=SecretValue(key),
        channel=slack.channel,
        team=slack.team,
        base_url=slack.base_url,
    )

"""Those who may decide are called, once for each question, and nobody for anything else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stanch.responder.domain.card import Card, CardRef, Decider
from stanch.responder.domain.error import Retryable
from stanch.responder.domain.ids import ApprovalId
from stanch.responder.lab.slack.fault import LostAnswer
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.slack.mention import SlackMention
from stanch.responder.slack.notifier import SlackNotifier
from stanch.responder.slack.setting import SlackSettings
from stanch.responder.slack.wire import AnswerLost


@pytest.fixture
def posted(settings: SlackSettings, card: Card) -> CardRef:
    return SlackNotifier.connect(settings).publish(card, None)


@pytest.fixture
def mention(settings: SlackSettings, posted: CardRef) -> SlackMention:
    return SlackMention.connect(settings, posted=lambda _: posted)


def asking(card: Card, *deciders: Decider, approval: str = "Q1") -> Card:
    assert card.ask is not None
    return replace(card, ask=replace(card.ask, deciders=deciders, approval=ApprovalId(approval)))


def test_who_may_decide_is_called_once_for_each_question(
    slack: SlackLab, mention: SlackMention, posted: CardRef, card: Card
) -> None:
    bob, dave = Decider("bob", f"{slack.team}/U00000BOB"), Decider("dave", "TOTHER000/U0000DAVE")
    at = mention.publish(replace(card, ask=None), None)
    assert not slack.replies(posted.ts)
    at = mention.publish(asking(card, bob, dave), at)
    at = mention.publish(asking(card, bob, dave), at)  # the card went on, the question is the same
    (called,) = slack.replies(posted.ts)
    assert called["text"].startswith("<@U00000BOB> LK-7 wants a decision by ")
    assert "DAVE" not in called["text"]  # another workspace's user
    assert len(slack.messages()) == 1
    mention.publish(asking(card, bob, approval="Q2"), at)
    assert len(slack.replies(posted.ts)) == 2


def test_where_nobody_can_be_called_the_channel_sees_the_question(
    slack: SlackLab, mention: SlackMention, posted: CardRef, card: Card
) -> None:
    mention.publish(asking(card, Decider("<!channel>")), None)
    (called,) = slack.replies(posted.ts)
    assert called["broadcast"]
    assert "<!" not in called["text"].replace("<!date^", "")


def test_a_lost_answer_calls_nobody_twice(
    slack: SlackLab, mention: SlackMention, posted: CardRef, card: Card
) -> None:
    slack.fail("chat.postMessage", LostAnswer())
    with pytest.raises(AnswerLost):
        mention.publish(asking(card), None)
    mention.publish(asking(card), None)
    assert len(slack.replies(posted.ts)) == 1


def test_a_card_that_is_not_posted_yet_is_waited_for(settings: SlackSettings, card: Card) -> None:
    mention = SlackMention.connect(settings, posted=lambda _: None)
    with pytest.raises(Retryable):
        mention.publish(card, None)


def test_a_card_that_somebody_removed_keeps_nobody_from_being_called(
    slack: SlackLab, mention: SlackMention, posted: CardRef, card: Card
) -> None:
    slack.remove_message(posted.channel, posted.ts)
    mention.publish(asking(card), None)
    (called,) = slack.messages()
    assert "wants a decision" in called["text"]

"""Cards and modals stay inside Slack's limits and never come alive, whatever they hold."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.responder.domain.card import Ask, Card, Mark, Next, Tone
from stanch.responder.domain.ids import ApprovalId, IncidentId
from stanch.responder.domain.runbook import Phase
from stanch.responder.lab.slack import limit
from stanch.responder.slack.blocks import card_message, plan_line
from stanch.responder.slack.button import ButtonKey, Press
from stanch.responder.slack.command import looks_secret
from stanch.responder.slack.desk import Review
from stanch.responder.slack.modal import loading, note, review_view
from stanch.responder.slack.text import said
from stanch.scanner.model.secret import SecretValue

KEY = ButtonKey(SecretValue(b"k" * 32))
AT = datetime(2026, 11, 22, 14, 3, 12, tzinfo=UTC)

hostile = st.one_of(
    st.text(max_size=80),
    st.sampled_from(
        [
            "<!channel>",
            "@here @everyone @channel",
            "https://evil.invalid/a_b www.evil.invalid",
            "<https://evil.invalid|click>",
            "*bold* _i_ ~s~ `code` :white_check_mark: :+1:",
            "\u202egnp.exe\u2066\u200b",
            "\x1b[2J\r\n\t",
            "&amp;&lt;",
            "-",
            "",
        ]
    ),
    st.tuples(st.sampled_from("a&<`_ \u202e"), st.integers(1, 5000)).map(lambda t: t[0] * t[1]),
    st.lists(st.sampled_from(["://", "a_b", "&", "www.x", "@here"]), max_size=400).map(" ".join),
)
asks = st.builds(
    Ask,
    approval=st.just(ApprovalId("01JABCDEFGHJKMNPQRSTVWXYZ0")),
    title=hostile,
    calls=st.lists(hostile, max_size=30).map(tuple),
    requester=hostile,
    group=hostile,
    expires_at=st.just(AT),
    silence=hostile,
    plan_hash=st.just("9f" * 32),
)
cards = st.builds(
    Card,
    incident=st.integers(1, 2**31).map(IncidentId),
    version=st.integers(0, 10**6),
    tone=st.sampled_from(Tone),
    headline=hostile,
    summary=hostile,
    facts=st.lists(st.tuples(hostile, hostile), max_size=18).map(tuple),
    warning=st.none() | hostile,
    by_hand=st.lists(hostile, max_size=7).map(tuple),
    next=st.lists(st.builds(Next, hostile, st.none() | hostile), max_size=2).map(tuple),
    phases=st.lists(st.tuples(st.sampled_from(Phase), st.sampled_from(Mark)), max_size=5).map(
        tuple
    ),
    ask=st.none() | asks,
    failure=st.none() | hostile,
    updated_at=st.just(AT),
)


@given(cards)
def test_every_card_is_a_message_that_slack_takes(card: Card) -> None:
    message = card_message(card, KEY)
    assert limit.block_problems(message.blocks, surface="message") == []
    assert limit.total_text(message.blocks) <= limit.MESSAGE_TOTAL
    assert 0 < len(message.text) <= limit.UPDATE_TEXT


@given(asks, st.none() | st.just("7Q2M"))
def test_every_review_is_a_modal_that_slack_takes(ask: Ask, confirm: str | None) -> None:
    view = review_view(Review(incident=IncidentId(7), ask=ask, confirm=confirm), channel="C1")
    assert limit.view_problems(view) == []
    assert not limit.view_too_large(view)


@given(cards)
def test_nothing_in_a_card_can_mention_link_or_hide(card: Card) -> None:
    message = card_message(card, KEY)
    for text in [message.text, *_mrkdwn(message.blocks)]:
        own = re.sub(r"<!date\^[^>]*>", "", text)
        assert not set("<>") & set(own)
        assert not re.search(r"&(?!amp;|lt;|gt;)", own)
        assert "://" not in own
        assert not re.search(r"@(channel|here|everyone)\b", own)
    assert not {"\u202e", "\u2066", "\u200b", "\x1b"} & set(str(message))


@given(hostile, st.integers(20, 3000))
def test_safe_text_never_exceeds_its_room(text: str, high: int) -> None:
    assert 0 < len(said(text, high)) <= high


def test_plain_sentences_are_left_alone() -> None:
    sentence = "Disabled 14:03:12. Still to do: delete it (deploy/env.sh:12)."
    assert said(sentence, 200) == sentence


def test_commands_between_backticks_stay_whole() -> None:
    assert said("ask again: `stanch respond LK-7`.", 100) == "ask again: `stanch respond LK-7`."
    assert said("`@here <!channel>` x", 100) == "`@ here &lt;!channel&gt;` x"


def test_an_emoji_from_a_repository_cannot_forge_a_tick() -> None:
    assert said("done :white_check_mark:", 100) == "done `:white_check_mark:`"


def test_a_modal_shows_every_call_in_full(card: Card) -> None:
    assert card.ask is not None
    calls = tuple(f"iam:Call{n} Document={secrets.token_hex(900)}" for n in range(20))
    review = Review(incident=card.incident, ask=replace(card.ask, calls=calls), confirm=None)
    view = review_view(review, channel="C1")
    shown = "".join(
        part["elements"][0]["text"]
        for block in view["blocks"]
        if block["type"] == "rich_text"
        for part in block["elements"]
    )
    assert all(call in shown for call in calls)
    assert limit.view_problems(view) == []


def test_a_plan_too_long_to_show_cannot_be_approved_in_slack(card: Card) -> None:
    assert card.ask is not None
    ask = replace(card.ask, calls=("x" * 400_000,))
    view = review_view(Review(incident=card.incident, ask=ask, confirm=None), channel="C1")
    assert "submit" not in view
    assert "stanch approve LK-7" in str(view)


def test_the_plan_line_says_in_words_what_its_signs_mean() -> None:
    line = plan_line(
        ((Phase.CONTAIN, Mark.DONE), (Phase.IDENTIFY, Mark.FAILED), (Phase.REVOKE, Mark.NOW))
    )
    assert line == "✓ Contain  ▸  ✗ *Identify* (failed)  ▸  … *Revoke* (now)"


def test_a_card_without_a_question_has_no_button(card: Card) -> None:
    message = card_message(replace(card, ask=None), KEY)
    assert not any(block["type"] == "actions" for block in message.blocks)


@pytest.mark.parametrize("view", [loading(), note("x" * 5000)])
def test_small_modals_are_valid(view: dict[str, Any]) -> None:
    assert limit.view_problems(view) == []


def test_a_button_says_nothing_but_ids_and_cannot_be_forged() -> None:
    press = Press(incident=IncidentId(7), approval=ApprovalId("ap_1-x"), version=3)
    value = KEY.sign(press)
    assert re.fullmatch(r"v1\.7\.ap_1-x\.3\.[0-9a-f]{32}", value)
    assert KEY.read(value) == press
    assert KEY.read(value.replace("v1.7.", "v1.8.")) is None
    assert KEY.read(value[:-1]) is None
    assert ButtonKey(SecretValue(b"z" * 32)).read(value) is None
    with pytest.raises(ValueError, match="at least 16 bytes"):
        ButtonKey(SecretValue(b"short"))


@given(st.text(alphabet=st.characters(categories=["L", "N", "P"]), min_size=16))
def test_long_words_are_taken_for_secrets(word: str) -> None:
    assert looks_secret(f"show {word}")


@pytest.mark.parametrize("text", ["", "help", "list", "show LK-1234567890"])
def test_no_valid_command_is_taken_for_a_secret(text: str) -> None:
    assert not looks_secret(text)


def _mrkdwn(blocks: Any) -> Iterator[str]:
    if isinstance(blocks, list):
        for block in blocks:
            yield from _mrkdwn(block)
    elif isinstance(blocks, dict):
        if blocks.get("type") == "mrkdwn":
            yield blocks["text"]
        for value in blocks.values():
            yield from _mrkdwn(value)

"""`/leak`, and what is never said back."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from stanch.responder.domain.card import Next
from stanch.responder.lab.slack.workspace import SlackLab

Join = Callable[[str], str]
pytestmark = pytest.mark.usefixtures("door")


def whisper(slack: SlackLab, user: str, text: str) -> str:
    assert slack.command(user, text).acked
    said = slack.wait(lambda: slack.ephemerals(user))[-1]
    return f"{said.text} {said.blocks}"


@pytest.mark.parametrize("text", ["", "help"])
def test_help_shows_the_map(slack: SlackLab, join: Join, text: str) -> None:
    assert "/leak show LK-7" in whisper(slack, join("bob"), text)


def test_list_names_open_incidents_and_what_is_wanted(slack: SlackLab, join: Join) -> None:
    said = whisper(slack, join("bob"), "list")
    assert "LK-7" in said
    assert "*Wanted:* a decision of bob or dave by 15:03 UTC" in said


def test_show_gives_the_card_without_its_button(slack: SlackLab, join: Join) -> None:
    said = whisper(slack, join("bob"), "show lk-7")
    assert "CONTAINED · AWS access key · LK-7" in said
    assert "actions" not in said
    assert "*Wanted:* a decision of bob or dave" in said


def test_show_says_why_a_step_failed_and_what_to_do(slack: SlackLab, join: Join, desk: Any) -> None:
    desk.shown = replace(
        desk.shown,
        ask=None,
        failure="no permission → allow iam:UpdateAccessKey",
        by_hand=("iam:UpdateAccessKey UserName=deploy",),
        next=(Next("once that is mended, go on", "stanch respond LK-7"),),
    )
    said = whisper(slack, join("bob"), "show LK-7")
    for part in ("What failed", "allow iam:UpdateAccessKey", "By hand", "stanch respond LK-7"):
        assert part in said


@pytest.mark.parametrize("text", ["show LK-99", "show", "show x", "drop tables", "list all"])
def test_a_mistake_is_answered_with_what_helps_and_not_repeated(
    slack: SlackLab, join: Join, text: str
) -> None:
    said = whisper(slack, join("bob"), text)
    assert "/leak" in said or "stanch incidents" in said
    assert "tables" not in said


def test_a_typed_secret_is_discarded_and_never_sent_back(slack: SlackLab, join: Join) -> None:
    secret = "ghp_" + secrets.token_hex(18)
    assert "It was discarded" in whisper(slack, join("bob"), f"show {secret}")
    encoded = base64.b64encode(secret.encode()).rstrip(b"=")
    assert not any(secret.encode() in body or encoded in body for body in slack.bodies())


def test_another_command_is_acknowledged(slack: SlackLab, join: Join) -> None:
    bob = join("bob")
    assert slack.command(bob, "", command="/other").acked
    assert "does not know" in slack.ephemerals(bob)[0].text


def test_no_token_is_ever_in_a_body(slack: SlackLab, join: Join, desk: Any) -> None:
    del desk
    whisper(slack, join("bob"), "list")
    tokens = (slack.bot_token.reveal(), slack.app_token.reveal())
    # The app-level token may only go where Slack's own client must send it.
    elsewhere = [c.body for c in slack.calls("chat.postMessage") + slack.calls("response_url")]
    assert not any(token in body for token in tokens for body in elsewhere)

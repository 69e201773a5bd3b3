"""What `stanch doctor` says about Slack."""

from __future__ import annotations

from dataclasses import replace

import pytest

from stanch.responder.domain.error import ConfigError
from stanch.responder.lab.slack.fault import Unreachable
from stanch.responder.lab.slack.workspace import SlackLab
from stanch.responder.lab.slack.world import BOT_SCOPES
from stanch.responder.slack.check import Check, check
from stanch.responder.slack.setting import SlackSettings
from stanch.scanner.model.secret import SecretValue


def bad(found: list[Check]) -> list[Check]:
    return [one for one in found if not one.ok]


def test_a_complete_set_up_is_well(settings: SlackSettings) -> None:
    found = check(settings)
    assert bad(found) == []
    assert len(found) == 5


def test_looking_changes_nothing(slack: SlackLab, settings: SlackSettings) -> None:
    check(settings)
    assert not slack.messages()


def test_a_wrong_bot_token_is_said_once_with_its_remedy(settings: SlackSettings) -> None:
    (only,) = check(replace(settings, bot_token=SecretValue(b"wrong")))
    assert not only.ok
    assert "invalid_auth" in only.what
    assert "bot token" in only.remedy


def test_a_wrong_app_token_is_told_from_the_bot_token(settings: SlackSettings) -> None:
    (only,) = bad(check(replace(settings, app_token=settings.bot_token)))
    assert "app-level token" in only.what
    assert "connections:write" in only.remedy


def test_a_missing_scope_is_named(settings: SlackSettings) -> None:
    with SlackLab.start(scopes=BOT_SCOPES - {"commands", "channels:read"}) as slack:
        there = replace(
            settings,
            bot_token=slack.bot_token,
            app_token=slack.app_token,
            channel=slack.channel,
            base_url=slack.base_url,
        )
        (only,) = bad(check(there))
    assert "commands" in only.what


def test_a_missing_history_scope_is_only_mentioned(settings: SlackSettings) -> None:
    with SlackLab.start(scopes=frozenset({"chat:write", "commands"})) as slack:
        there = replace(
            settings,
            bot_token=slack.bot_token,
            app_token=slack.app_token,
            channel=slack.channel,
            base_url=slack.base_url,
        )
        found = check(there)
    assert bad(found) == []
    assert any("may post a card twice" in one.what for one in found)


def test_a_channel_without_the_app_says_how_to_invite_it(
    slack: SlackLab, settings: SlackSettings
) -> None:
    elsewhere = slack.add_channel("elsewhere", bot_is_member=False)
    (only,) = bad(check(replace(settings, channel=elsewhere)))
    assert "/invite" in only.remedy


def test_another_workspace_is_noticed(settings: SlackSettings) -> None:
    (only,) = bad(check(replace(settings, team="T00000OTHER")))
    assert "belongs to T00000LAB" in only.what


def test_an_unreachable_slack_is_one_line(slack: SlackLab, settings: SlackSettings) -> None:
    slack.fail("auth.test", Unreachable())
    (only,) = check(settings)
    assert "can be reached" in only.remedy


@pytest.mark.parametrize(
    ("field", "value"),
    [("channel", "#sec-leaks"), ("team", "lab"), ("base_url", "https://slack.com")],
)
def test_settings_that_cannot_work_are_refused_at_once(
    settings: SlackSettings, field: str, value: str
) -> None:
    with pytest.raises(ConfigError, match=field):
        replace(settings, **{field: value})  # type: ignore[arg-type]  # each field is a string

"""Slack: token, workspace, scopes, channel."""

from __future__ import annotations

import secrets
from collections.abc import Iterator

from stanch.responder.config import Settings
from stanch.responder.domain.check import Check, State
from stanch.responder.keys.reference import secret
from stanch.scanner.model.secret import SecretValue

_AREA = "slack"


def slack(settings: Settings) -> Iterator[Check]:
    """What Slack says about our tokens; nothing is posted."""
    given = settings.slack
    if not given.bot_token:
        yield Check(State.GOOD, _AREA, "not configured: cards go to the terminal")
        return
    # Imported late: who has no Slack should not wait for it.
    from stanch.responder.slack.check import check  # noqa: PLC0415
    from stanch.responder.slack.setting import SlackSettings  # noqa: PLC0415

    asked = SlackSettings(
        bot_token=secret(given.bot_token, what="slack.bot_token"),
        app_token=secret(given.app_token, what="slack.app_token"),
        # No button is made here, and the real key would be created by looking for it.
        button_key=SecretValue(secrets.token_bytes(32)),
        channel=given.channel,
        team=given.team,
        base_url=given.base_url,
    )
    for one in check(asked):
        yield Check(State.GOOD if one.ok else State.WRONG, _AREA, one.what, one.remedy)

"""What the Slack surface must be told. Read from the configuration elsewhere."""

from __future__ import annotations

import re
from dataclasses import dataclass

from stanch.responder.domain.error import ConfigError
from stanch.scanner.model.secret import SecretValue

SLACK_API = "https://slack.com/api/"
_CHANNEL = re.compile(r"[CG][A-Z0-9]{6,20}")
_TEAM = re.compile(r"[TE][A-Z0-9]{6,20}")


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackSettings:
    """Where the cards go and who may press their buttons.

    ``channel`` and ``team`` are ids, because Slack's methods for editing and reading back take no
    names. ``button_key`` is a secret of this installation, at least 16 bytes. Raises ConfigError.
    """

    bot_token: SecretValue
    app_token: SecretValue | None  # None: cards are shown, clicks are others'
    button_key: SecretValue
    channel: str
    team: str
    base_url: str = SLACK_API

    def __post_init__(self) -> None:
        if not _CHANNEL.fullmatch(self.channel):
            raise ConfigError(
                f"slack channel {self.channel!r} is not a channel id",
                remedy="copy the id (C…) from the channel's details in Slack, not its #name",
            )
        if not _TEAM.fullmatch(self.team):
            raise ConfigError(
                f"slack team {self.team!r} is not a workspace id",
                remedy="use the T… part of https://app.slack.com/client/T…/C…",
            )
        if not self.base_url.endswith("/api/"):
            raise ConfigError(
                f"slack base_url {self.base_url!r} does not end with /api/",
                remedy=f"leave it out to use {SLACK_API}",
            )

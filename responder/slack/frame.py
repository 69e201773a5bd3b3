"""What every button and modal has around it: who pressed, whether it is ours, and what is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient

from stanch.responder.domain.error import Retryable, StanchError
from stanch.responder.slack.button import ButtonKey, Press
from stanch.responder.slack.text import said
from stanch.responder.slack.wire import SlackError, call
from stanch.responder.telemetry.log import get_logger

Body = dict[str, Any]

FOREIGN = "This form was not made by this installation of Stanch, so nothing was recorded."
FORGED = "This button was not made by this installation of Stanch, so nothing was opened."
BROKEN = "Stanch could not do this. Look at the card, then try again or use `stanch approve`."
LATE = "Your decision is still being recorded. The card will show it; you need not repeat it."
_LOG = get_logger("stanch.slack")


class Teller:
    """Says something to one person only."""

    def __init__(self, client: WebClient) -> None:
        self._client = client

    def tell(self, channel: str, user: str, text: str) -> None:
        """Say it, or log that it could not be said."""
        try:
            call(self._client.chat_postEphemeral, channel=channel, user=user, text=said(text, 2000))
        except (SlackError, Retryable) as error:
            # Nobody can be told; the card stays the truth.
            _LOG.warning("slack.person_not_told", why=str(error))


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """Runs what a button stands for; whatever goes wrong is told to who pressed it."""

    key: ButtonKey
    teller: Teller

    def pressed(self, body: Body, show: Callable[[Press, Body], str | None]) -> None:
        """``show`` opens a modal, or returns why it does not."""
        channel, user = body["channel"]["id"], body["user"]["id"]
        try:
            press = self.key.read(body["actions"][0].get("value", ""))
            told = FORGED if press is None else show(press, body)
        except Exception as error:  # noqa: BLE001  # the last frame: whatever it is, say so
            told = why(error)
        if told is not None:
            self.teller.tell(channel, user, told)


def person_of(body: Body) -> str:
    """``team/user``: how Stanch names a person of Slack."""
    user = body["user"]
    return f"{user['team_id']}/{user['id']}"


def why(error: Exception) -> str:
    """What a person is told. Unexpected errors are logged, and their text is shown to nobody."""
    if isinstance(error, StanchError):
        return f"{error}. {error.remedy}."
    if isinstance(error, Retryable):
        return f"{error}. Please try again."
    _LOG.error("slack.request_failed", exc_info=error)
    return BROKEN

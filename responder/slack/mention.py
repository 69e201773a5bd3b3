"""Calls those who may decide: an edited card notifies nobody."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient

from stanch.responder.domain.card import Ask, Card, CardRef
from stanch.responder.domain.error import Retryable
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.slack.button import ButtonKey
from stanch.responder.slack.setting import SlackSettings
from stanch.responder.slack.text import moment, said
from stanch.responder.slack.wire import SlackError, call, web_client

QUESTION_EVENT = "stanch_question"
_USER = re.compile(r"[UW][A-Z0-9]{6,20}")
_SOON = timedelta(seconds=2)
_GONE = {"thread_not_found", "message_not_found"}
_UNREADABLE = {"missing_scope", "not_allowed_token_type", *_GONE}
_MOST = 20  # people called by one message


class SlackMention:
    """Implements ``Notifier``: one answer below the card for each question, and nothing else.

    ``posted`` is where the card stands. What is remembered as the place of our own message is the
    question that people were called for.
    """

    name = "slack-mention"

    def __init__(
        self,
        *,
        client: WebClient,
        settings: SlackSettings,
        posted: Callable[[IncidentId], CardRef | None],
    ) -> None:
        self._client = client
        self._settings = settings
        self._key = ButtonKey(settings.button_key)
        self._posted = posted

    @classmethod
    def connect(
        cls, settings: SlackSettings, *, posted: Callable[[IncidentId], CardRef | None]
    ) -> SlackMention:
        """With a client of its own. Does not call Slack yet."""
        return cls(client=web_client(settings), settings=settings, posted=posted)

    def publish(self, card: Card, at: CardRef | None) -> CardRef:
        """Call the deciders if the card asks something that nobody was called for yet.

        Raises Retryable and SlackError as the card's notifier does; calling it again is safe.
        """
        called = at or CardRef(channel=self._settings.channel, ts="")
        if card.ask is None or called.ts == card.ask.approval:
            return called
        above = self._posted(card.incident)
        if above is None:
            raise Retryable("the card is not in the channel yet", after=_SOON)
        name = self._name(card.incident, card.ask)
        if not self._called(above, name):
            self._call(card.incident, card.ask, above, name)
        return CardRef(channel=above.channel, ts=card.ask.approval)

    def _name(self, incident: IncidentId, ask: Ask) -> str:
        """What this installation writes into the metadata of a question's message."""
        return f"{self._key.card_name(incident)}.{ask.approval}"

    def _call(self, incident: IncidentId, ask: Ask, above: CardRef, name: str) -> None:
        users = _users(ask, self._settings.team)
        message = {
            "channel": above.channel,
            "text": _text(incident, ask, users),
            "unfurl_links": False,
            "metadata": {"event_type": QUESTION_EVENT, "event_payload": {"question": name}},
        }
        # Where nobody can be called by name, at least the channel shows that something is new.
        below = {"thread_ts": above.ts, "reply_broadcast": not users}
        try:
            call(self._client.chat_postMessage, **message, **below)
        except SlackError as fault:
            if fault.code not in _GONE:
                raise
            call(self._client.chat_postMessage, **message)

    def _called(self, above: CardRef, name: str) -> bool:
        """Whether the message is there: Slack may have taken it while its answer was lost."""
        try:
            answer = call(
                self._client.conversations_replies,
                channel=above.channel,
                ts=above.ts,
                include_all_metadata=True,
                limit=200,
            )
        except SlackError as fault:
            if fault.code in _UNREADABLE:
                return False
            raise
        return any(_question(message) == name for message in answer.get("messages") or ())


def _users(ask: Ask, team: str) -> tuple[str, ...]:
    """The Slack ids of those who may decide, as far as they are of this workspace."""
    found = (decider.slack.partition("/") for decider in ask.deciders if decider.slack)
    return tuple(user for of, _, user in found if of == team and _USER.fullmatch(user))[:_MOST]


def _text(incident: IncidentId, ask: Ask, users: tuple[str, ...]) -> str:
    wanted = (
        f"{label(incident)} wants a decision by {moment(ask.expires_at)}: {said(ask.title, 500)}"
        f"\nPress *Review* on the card above. If nobody decides: {said(ask.silence, 300)}"
    )
    if users:
        return " ".join(f"<@{user}>" for user in users) + f" {wanted}"
    return f"{wanted}\nTo be decided by {said(ask.whom, 300)}: no Slack id of theirs is known here."


def _question(message: dict[str, Any]) -> str | None:
    metadata = message.get("metadata") or {}
    if metadata.get("event_type") != QUESTION_EVENT:
        return None
    return (metadata.get("event_payload") or {}).get("question")

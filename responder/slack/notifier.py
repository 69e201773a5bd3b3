"""Cards in a Slack channel: one message per incident, edited in place."""

from __future__ import annotations

from typing import Any

from slack_sdk import WebClient

from stanch.responder.domain.card import Card, CardRef
from stanch.responder.domain.ids import IncidentId
from stanch.responder.slack.blocks import card_message
from stanch.responder.slack.button import ButtonKey
from stanch.responder.slack.setting import SlackSettings
from stanch.responder.slack.wire import SlackError, call, web_client

CARD_EVENT = "stanch_card"
_LOOK_BACK = 200  # messages; a card that a crash orphaned is looked for among the newest
_GONE = {"message_not_found", "cant_update_message", "edit_window_closed"}
_UNREADABLE = {"missing_scope", "not_allowed_token_type"}


class SlackNotifier:
    """Implements ``Notifier``.

    Slack has no idempotency key for posting, so before a card is posted the channel is read back: a
    card that was accepted while its answer was lost is adopted.
    """

    name = "slack"

    def __init__(self, *, client: WebClient, channel: str, key: ButtonKey) -> None:
        self._client = client
        self._channel = channel
        self._key = key

    @classmethod
    def connect(cls, settings: SlackSettings) -> SlackNotifier:
        """A notifier with its own client. Does not call Slack yet."""
        return cls(
            client=web_client(settings),
            channel=settings.channel,
            key=ButtonKey(settings.button_key),
        )

    def publish(self, card: Card, at: CardRef | None) -> CardRef:
        """Post the card, or edit the one at ``at``.

        Raises Retryable when Slack throttles or cannot be reached, SlackError with a remedy when
        somebody must change something. Calling it again is always safe.
        """
        known = at or self._find(card.incident)
        if known is not None:
            edited = self._edit(card, known)
            if edited is not None:
                return edited
        return self._post(card)

    def _edit(self, card: Card, at: CardRef) -> CardRef | None:
        """The card in place, or None when somebody deleted the message."""
        try:
            call(self._client.chat_update, channel=at.channel, ts=at.ts, **self._shown(card))
        except SlackError as fault:
            if fault.code in _GONE:
                return None
            raise
        return at

    def _post(self, card: Card) -> CardRef:
        answer = call(
            self._client.chat_postMessage,
            channel=self._channel,
            unfurl_links=False,
            unfurl_media=False,
            **self._shown(card),
        )
        return CardRef(channel=str(answer["channel"]), ts=str(answer["ts"]))

    def _shown(self, card: Card) -> dict[str, Any]:
        message = card_message(card, self._key)
        payload = {"incident_id": int(card.incident), "card": self._key.card_name(card.incident)}
        return {
            "text": message.text,
            "blocks": message.blocks,
            "metadata": {"event_type": CARD_EVENT, "event_payload": payload},
        }

    def _find(self, incident: IncidentId) -> CardRef | None:
        """This installation's card for the incident, when the channel may be read."""
        try:
            answer = call(
                self._client.conversations_history,
                channel=self._channel,
                include_all_metadata=True,
                limit=_LOOK_BACK,
            )
        except SlackError as fault:
            if fault.code in _UNREADABLE:
                return None  # without the optional history scope a lost answer may give two cards
            raise
        name = self._key.card_name(incident)
        for message in answer.get("messages") or ():
            metadata = message.get("metadata") or {}
            payload = metadata.get("event_payload") or {}
            if metadata.get("event_type") == CARD_EVENT and payload.get("card") == name:
                return CardRef(channel=self._channel, ts=str(message["ts"]))
        return None

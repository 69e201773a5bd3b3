"""The Slack door: a Bolt app whose listeners acknowledge, ask the desk and hand over.

Slack wants an acknowledgement within three seconds, and Bolt lets a listener that is late run on
although the person was told that it failed; so listeners never do the work themselves.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from slack_bolt import Ack, App, BoltContext, BoltResponse, Respond
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from stanch.responder.slack.blocks import CLOSE, REVIEW
from stanch.responder.slack.button import ButtonKey
from stanch.responder.slack.closing import SUBMIT_CLOSE, Closer
from stanch.responder.slack.command import Reply, help_text, looks_secret, reply
from stanch.responder.slack.desk import Desk
from stanch.responder.slack.frame import Teller, why
from stanch.responder.slack.modal import SUBMIT
from stanch.responder.slack.notifier import SlackNotifier
from stanch.responder.slack.review import Reviewer
from stanch.responder.slack.setting import SlackSettings
from stanch.responder.slack.wire import call, web_client
from stanch.responder.telemetry.log import get_logger

Body = dict[str, Any]

_LOG = get_logger("stanch.slack")
COMMAND = "/leak"
DISCARDED = (
    "That looks like a secret. It was discarded and not stored by Stanch, but Slack may keep what "
    "you typed: treat it as leaked. `/leak help` shows what can be typed."
)
STRANGER = "This workspace is not allowed to use Stanch."
_ANY = re.compile(r".*", re.DOTALL)
UNKNOWN = "Stanch does not know that action. The card may be from an older version."


class SlackApp:
    """Joins Bolt, the desk and the card's notifier. ``close`` waits for what is under way."""

    def __init__(self, settings: SlackSettings, desk: Desk) -> None:
        self._client = web_client(settings)
        self._desk = desk
        self._team = settings.team
        key = ButtonKey(settings.button_key)
        # Four people may click at the same moment; more wait milliseconds.
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="slack")
        notifier = SlackNotifier(client=self._client, channel=settings.channel, key=key)
        self._teller = Teller(self._client)
        self._reviewer = Reviewer(
            client=self._client, desk=desk, key=key, notifier=notifier, teller=self._teller
        )
        self._closer = Closer(client=self._client, desk=desk, key=key, teller=self._teller)
        self.bolt = self._listeners(_bolt(settings, self._client))

    def close(self) -> None:
        """Finish what people have asked for, then stop."""
        self._pool.shutdown(wait=True)
        self._reviewer.close()
        self._closer.close()

    def _listeners(self, bolt: App) -> App:
        bolt.use(self._gate)
        bolt.action(REVIEW)(self._review)
        bolt.view(SUBMIT)(self._decide)
        bolt.action(CLOSE)(self._ask_to_close)
        bolt.view(SUBMIT_CLOSE)(self._close)
        bolt.command(COMMAND)(self._command)
        # Last, because the first match wins; without them Bolt would not even acknowledge.
        bolt.action(_ANY)(self._unknown)
        bolt.view_submission(_ANY)(_unknown_view)
        bolt.command(_ANY)(_unknown_command)
        bolt.shortcut(_ANY)(self._unknown)
        return bolt

    def _gate(
        self,
        context: BoltContext,
        ack: Ack,
        next: Callable[[], BoltResponse],  # noqa: A002  # Bolt passes by name
    ) -> BoltResponse | None:
        """Only the workspace that was configured, and of it no guests from another."""
        if context.team_id == self._team and context.actor_team_id in {None, self._team}:
            return next()
        return ack(STRANGER)

    def _review(self, ack: Ack, body: Body) -> None:
        ack()
        self._pool.submit(self._reviewer.open, body)

    def _decide(self, ack: Ack, body: Body) -> None:
        self._reviewer.submitted(ack, body)

    def _ask_to_close(self, ack: Ack, body: Body) -> None:
        ack()
        self._pool.submit(self._closer.open, body)

    def _close(self, ack: Ack, body: Body) -> None:
        self._closer.submitted(ack, body)

    def _command(self, ack: Ack, body: Body, respond: Respond) -> None:
        text = str(body.get("text") or "").strip()
        if looks_secret(text):
            ack(DISCARDED)
        elif text in {"", "help"}:
            ack(help_text())
        else:
            ack()
            self._pool.submit(self._answer, text, respond)

    def _unknown(self, ack: Ack, body: Body) -> None:
        ack()
        channel = (body.get("channel") or {}).get("id")
        if channel is not None:
            self._pool.submit(self._teller.tell, channel, body["user"]["id"], UNKNOWN)

    def _answer(self, text: str, respond: Respond) -> None:
        try:
            said = reply(self._desk, text)
        except Exception as error:  # noqa: BLE001  # the last frame: whatever it is, say so
            said = Reply(text=why(error), blocks=[])
        try:
            respond(
                text=said.text,
                blocks=said.blocks or None,
                response_type="ephemeral",
                unfurl_links=False,
            )
        except (OSError, SlackClientError) as error:
            _LOG.warning("slack.person_not_told", why=type(error).__name__)


def _bolt(settings: SlackSettings, client: WebClient) -> App:
    who = call(client.auth_test)  # a wrong token is a SlackError with its remedy, not Bolt's error
    known = AuthorizeResult.from_auth_test_response(auth_test_response=who, bot_token=client.token)

    def authorize() -> AuthorizeResult:
        return known  # for every workspace: the gate decides, and says so

    return App(
        client=web_client(settings, token=False),  # Bolt warns when it has two ways to a token
        authorize=authorize,  # else SLACK_CLIENT_ID in the environment would switch Bolt to OAuth
        logger=logging.getLogger("stanch.slack"),
        name="stanch",
        signing_secret="unused-in-socket-mode",  # noqa: S106  # else Bolt reads the environment
        request_verification_enabled=False,  # Socket Mode is authenticated by its ticket
    )


def _unknown_view(ack: Ack) -> None:
    ack()


def _unknown_command(ack: Ack) -> None:
    ack(UNKNOWN)

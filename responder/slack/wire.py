"""The one place that talks to Slack's Web API: no hidden retries, errors that people can mend."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web import SlackResponse

from stanch.responder.domain.error import Retryable, StanchError
from stanch.responder.slack.setting import SlackSettings

_TIMEOUT = 10  # seconds; Slack answers within one
_SOON = timedelta(seconds=5)
_TOO_MANY = 429
_SERVER_FAULT = 500

# At debug level the SDK logs whole requests; and every failed one at error level, which is raised
# as an error here anyway. A logger of our own can be kept quiet without touching anybody else's.
_QUIET = logging.getLogger("stanch.slack.web")
_QUIET.setLevel(logging.CRITICAL)


class SlackError(StanchError):
    """Slack refused, and a person must change something. ``code`` is Slack's own word."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str, code: str) -> None:
        super().__init__(message, remedy=remedy)
        self.code = code


class AnswerLost(Retryable):
    """The connection broke: what was asked may have happened or not."""


REMEDIES = {
    "not_in_channel": "invite the app: /invite @stanch in that channel",
    "channel_not_found": "check [slack] channel; for a private channel invite the app first",
    "is_archived": "unarchive the channel or set another one in [slack] channel",
    "invalid_auth": "set the bot token (xoxb) from the app's OAuth page again",
    "not_authed": "set the bot token (xoxb) from the app's OAuth page",
    "account_inactive": "the app or its user was removed: install it to the workspace again",
    "token_revoked": "install the app to the workspace again and set the new bot token",
    "token_expired": "install the app to the workspace again and set the new bot token",
    "not_allowed_token_type": "the bot token starts with xoxb, the app-level token with xapp",
    "missing_scope": "add the scope in the app's OAuth page and install it again (docs/slack.md)",
    "restricted_action": "a workspace rule forbids the app to post there; ask an administrator",
    "expired_trigger_id": "press Review again",
    "exchanged_trigger_id": "press Review again",
    "invalid_blocks": "this is a fault in Stanch; please report it with the incident's label",
    "msg_blocks_too_long": "this is a fault in Stanch; please report it with the incident's label",
}
_TRANSIENT = {"internal_error", "fatal_error", "service_unavailable", "request_timeout"}


def web_client(settings: SlackSettings, *, token: bool = True) -> WebClient:
    """A client with the bot token, or without one for those who bring it to each call.

    Its default handler repeats a request when the connection breaks; Slack may have accepted the
    first one, and there is no idempotency key: a second card. So there is no handler at all.
    """
    return WebClient(
        token=settings.bot_token.reveal().decode("ascii") if token else None,
        base_url=settings.base_url,
        timeout=_TIMEOUT,
        retry_handlers=[],
        logger=_QUIET,
    )


def call(method: Callable[..., SlackResponse], /, **arguments: Any) -> SlackResponse:
    """Call one method. Raises Retryable, AnswerLost or SlackError."""
    try:
        return method(**arguments)
    except SlackApiError as error:
        raise translated(error) from None  # its text repeats the whole response
    except (OSError, http.client.HTTPException, json.JSONDecodeError) as error:
        raise AnswerLost(f"no answer from Slack: {type(error).__name__}", after=_SOON) from error
    except SlackClientError as error:
        raise AnswerLost(
            f"no usable answer from Slack: {type(error).__name__}", after=_SOON
        ) from error


def translated(error: SlackApiError) -> Exception:
    """Slack's refusal as Retryable, AnswerLost or SlackError."""
    response = error.response
    status = getattr(response, "status_code", 200)
    code = _code(response)
    if status == _TOO_MANY or code == "ratelimited":
        after = str(response.headers.get("Retry-After", "30"))
        seconds = int(after) if after.isdigit() else 30
        return Retryable(f"Slack asks to wait {seconds} s", after=timedelta(seconds=seconds))
    if status >= _SERVER_FAULT or code in _TRANSIENT:
        return AnswerLost(f"Slack is not well (HTTP {status})", after=_SOON)
    needed = response.get("needed") if isinstance(response.data, dict) else None
    detail = f" (needs {needed})" if needed else ""
    return SlackError(
        f"Slack refused: {code}{detail}",
        remedy=REMEDIES.get(code, f"see https://docs.slack.dev/reference/methods for {code!r}"),
        code=code,
    )


def _code(response: Any) -> str:
    data = getattr(response, "data", response)
    return str(data.get("error", "unknown_error")) if isinstance(data, dict) else "unknown_error"

"""What `stanch doctor` asks about Slack. Changes nothing in the workspace."""

from __future__ import annotations

from typing import NamedTuple

from slack_sdk import WebClient
from slack_sdk.web import SlackResponse

from stanch.responder.domain.error import Retryable, StanchError
from stanch.responder.slack.setting import SlackSettings
from stanch.responder.slack.wire import REMEDIES, SlackError, call, web_client

REQUIRED = ("chat:write", "commands")
OPTIONAL = ("channels:history", "channels:read")
_HISTORY = {"channels:history", "groups:history"}  # of public channels, of private ones


class Check(NamedTuple):
    """One thing that was looked at; ``remedy`` is empty when it is well."""

    ok: bool
    what: str
    remedy: str


def check(settings: SlackSettings) -> list[Check]:
    """Token, workspace, scopes, channel and app-level token, in that order."""
    client = web_client(settings)
    try:
        answer = call(client.auth_test)
    except StanchError as error:
        return [Check(False, f"Slack bot token: {error}", error.remedy)]
    except Retryable as error:
        return [Check(False, f"Slack: {error}", f"check that {settings.base_url} can be reached")]
    return [
        _team(answer, settings),
        *_scopes(answer),
        _channel(client, settings),
        _socket(client, settings),
    ]


def _team(answer: SlackResponse, settings: SlackSettings) -> Check:
    team = answer.get("team_id")
    if team == settings.team:
        return Check(True, f"Slack bot token is valid for {answer.get('team')} ({team})", "")
    return Check(
        False,
        f"Slack bot token belongs to {team}, not to {settings.team}",
        "set [slack] team to the workspace in which the app is installed",
    )


def _scopes(answer: SlackResponse) -> list[Check]:
    headers = {str(key).lower(): value for key, value in answer.headers.items()}
    given = {scope.strip() for scope in str(headers.get("x-oauth-scopes", "")).split(",")}
    found = [
        Check(True, f"Slack scope {scope}", "")
        if scope in given
        else Check(False, f"Slack scope {scope} is missing", REMEDIES["missing_scope"])
        for scope in REQUIRED
    ]
    if not given & _HISTORY:
        what = "no optional history scope: a lost answer from Slack may post a card twice"
        found.append(Check(True, what, ""))
    return found


def _channel(client: WebClient, settings: SlackSettings) -> Check:
    what = f"Slack channel {settings.channel}"
    try:
        channel = call(client.conversations_info, channel=settings.channel)["channel"]
    except SlackError as fault:
        if fault.code == "missing_scope":
            return Check(True, f"{what} cannot be looked at without channels:read", "")
        return Check(False, f"{what}: {fault}", fault.remedy)
    except Retryable as error:
        return Check(False, f"{what}: {error}", "try again")
    if channel.get("is_archived"):
        return Check(False, f"{what} is archived", REMEDIES["is_archived"])
    if not channel.get("is_member"):
        return Check(False, f"{what}: the app is not in it", REMEDIES["not_in_channel"])
    return Check(True, f"{what} is reachable", "")


def _socket(client: WebClient, settings: SlackSettings) -> Check:
    if settings.app_token is None:
        return Check(True, "no app-level token here: clicks are taken by another process", "")
    token = settings.app_token.reveal().decode("ascii")
    try:
        call(client.apps_connections_open, app_token=token)
    except SlackError as fault:
        return Check(
            False,
            f"Slack app-level token: {fault}",
            "make an app-level token (xapp) with connections:write and switch Socket Mode on",
        )
    except Retryable as error:
        return Check(False, f"Slack app-level token: {error}", "try again")
    return Check(True, "Slack app-level token opens Socket Mode", "")

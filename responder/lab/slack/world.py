"""The state of one workspace. Touched by the server's event loop only."""

from __future__ import annotations

import itertools
import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from stanch.responder.lab.slack.fault import Fault

Json = Any  # what apps send and Slack stores; checked by ``limit`` before it is kept

BOT_SCOPES = frozenset(
    {
        "chat:write",
        "commands",
        "users:read",
        "channels:read",
        "channels:history",
        "groups:read",
        "groups:history",
    }
)


class Refusal(Exception):  # noqa: N818  # Slack's "ok": false, not a fault of the server
    """A method's answer with ``ok: false``."""

    def __init__(self, error: str, **more: Json) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


@dataclass(slots=True, kw_only=True)
class Channel:
    """A channel. ``posts`` is its history, oldest first; ephemerals are never in it."""

    id: str
    name: str
    bot_is_member: bool = True
    archived: bool = False
    posts: list[dict[str, Json]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Whisper:
    """An ephemeral message, or an answer to a command: seen by one person only."""

    channel: str
    user: str
    text: str
    blocks: Json


@dataclass(slots=True, kw_only=True)
class View:
    """An open modal."""

    id: str
    user: str
    hash: str
    content: dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """The right to open one modal, soon."""

    user: str
    expires: float


@dataclass(slots=True, kw_only=True)
class Hook:
    """A response_url: five uses."""

    channel: str
    user: str
    left: int = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One request as it arrived: the method and its raw body."""

    method: str
    arguments: dict[str, Json]
    body: bytes


@dataclass(slots=True, kw_only=True)
class World:
    """Everything the workspace knows. ``trigger_seconds`` is how long a trigger_id lives."""

    team: str
    bot_token: str
    app_token: str
    bot_user: str
    scopes: frozenset[str]
    trigger_seconds: float
    channels: dict[str, Channel] = field(default_factory=dict)
    users: dict[str, str] = field(default_factory=dict)  # id to name
    whispers: list[Whisper] = field(default_factory=list)
    views: dict[str, View] = field(default_factory=dict)
    triggers: dict[str, Trigger] = field(default_factory=dict)
    hooks: dict[str, Hook] = field(default_factory=dict)
    tickets: set[str] = field(default_factory=set)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    calls: list[Call] = field(default_factory=list)
    _ids: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def new_id(self, prefix: str) -> str:
        """An id of Slack's shape, unique in this workspace."""
        return f"{prefix}{next(self._ids):08d}"

    def new_ts(self) -> str:
        """A message's timestamp: unique and rising, as it is the message's identity."""
        return f"{int(time.time())}.{next(self._ids):06d}"

    def new_trigger(self, user: str) -> str:
        """A trigger_id for something that ``user`` just did."""
        trigger = secrets.token_hex(8)
        expires = time.monotonic() + self.trigger_seconds
        self.triggers[trigger] = Trigger(user=user, expires=expires)
        return trigger

    def take_trigger(self, trigger: Json) -> str:
        """Use a trigger_id up; the user it was given for."""
        if trigger not in self.triggers:
            raise Refusal("exchanged_trigger_id")
        found = self.triggers.pop(trigger)
        if time.monotonic() > found.expires:
            raise Refusal("expired_trigger_id")
        return found.user

    def channel(self, name: Json) -> Channel:
        """The channel with this id (names are not accepted, as for most methods)."""
        if name not in self.channels:
            raise Refusal("channel_not_found")
        return self.channels[name]

    def next_fault(self, method: str) -> Fault | None:
        """The next scripted fault for ``method``, used up."""
        waiting = self.faults.get(method)
        return waiting.pop(0) if waiting else None

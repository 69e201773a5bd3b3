"""What the lab remembers beyond MiniStack's own state; one instance per server process."""

from __future__ import annotations

import contextvars
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from stanch.responder.lab.aws.server.fault import Faults
from stanch.responder.lab.aws.server.journal import Journal
from stanch.responder.lab.aws.server.trail import Trail


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who signed a request, as the evaluator resolved it."""

    access_key_id: str
    account_id: str
    arn: str
    principal_id: str
    kind: str  # "User", "AssumedRole", "FederatedUser" or "Root"
    user_name: str
    issued_at: float | None  # of a temporary credential


@dataclass(slots=True)
class Note:
    """What the evaluator learned about the request now being answered."""

    caller: Caller | None = None
    refused: str | None = None  # the code of a failed authentication


@dataclass(frozen=True, slots=True, kw_only=True)
class LastUse:
    """The latest authenticated call with a key."""

    at: float
    service: str
    region: str


@dataclass(slots=True, kw_only=True)
class State:
    """The lab's own memory."""

    account_id: str
    region: str
    admin_key_id: str
    admin_secret: str
    delay: float
    clock: Callable[[], float] = time.time
    source: random.Random = field(default_factory=random.SystemRandom)
    trail: Trail = field(default_factory=Trail)
    journal: Journal = field(default_factory=Journal)
    faults: Faults = field(default_factory=Faults)
    last_uses: dict[str, LastUse] = field(default_factory=dict)


# The note of the request that this task answers.
note: contextvars.ContextVar[Note | None] = contextvars.ContextVar("lab_note", default=None)

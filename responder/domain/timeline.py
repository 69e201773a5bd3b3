"""The record: what was said and done, by whom, when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.json import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened. ``action`` is ``noun.past_tense``; ``detail`` holds no secret."""

    at: datetime
    actor: str  # "system", "cli:alice", "slack:T1/U2"
    action: str
    incident: IncidentId | None
    detail: JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An event in the ledger: ``digest`` covers it all with ``previous``, ``mac`` the digest."""

    seq: int  # from 1, without gaps
    event: Event
    previous: str
    digest: str
    mac: str

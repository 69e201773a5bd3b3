"""What is watched: each source with its cursor, how late it is, and what a person has to judge.

A source is one thing that is read from where the last look stopped: a repository, the log of a
group, a queue. Of everything that could be read twice the second time has no effect, so a cursor is
moved only behind what was read, and after that.
"""

from __future__ import annotations

import hashlib
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NewType, Protocol

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Transaction

SourceId = NewType("SourceId", str)

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(hours=1)
DAYS = 14  # of which it is remembered what was found
REMEMBERED = timedelta(days=30)  # how long a delivery's id is known; hosts repeat for days


def source_id(watch: str, subject: str) -> SourceId:
    """The same watch and subject are the same source, whoever names them first."""
    named = f"{watch}\0{subject}".encode("utf-8", "surrogateescape")
    return SourceId(hashlib.sha256(named).hexdigest()[:32])


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One source as it stands.

    ``wanted`` grows with each word that there is news: who read the source before that has to look
    again. ``noticed_at`` is the oldest such word that no look has followed yet; ``hint`` what the
    host last said of its last change.
    """

    id: SourceId
    watch: str
    kind: str
    subject: str
    cursor: JsonObject
    due_at: datetime | None
    wanted: int = 0
    noticed_at: datetime | None = None
    looked_at: datetime | None = None  # when the last look began that read all
    tries: int = 0  # looks that failed, in a row
    error: str = ""
    remedy: str = ""
    gap: str = ""  # what no look will read
    hint: str = ""
    found: JsonObject  # by day: how many credentials were new
    measured: JsonObject  # readings of the latest looks, for what is usual

    @classmethod
    def fresh(cls, watch: str, kind: str, subject: str, now: datetime) -> Source:
        """One that nobody has looked at yet."""
        return cls(
            id=source_id(watch, subject),
            watch=watch,
            kind=kind,
            subject=subject,
            cursor={},
            due_at=now,
            found={},
            measured={},
        )

    def noticed(self, now: datetime) -> Source:
        """There is news: it is looked at as soon as somebody is free."""
        return replace(self, wanted=self.wanted + 1, due_at=now, noticed_at=self.noticed_at or now)

    def pause(self, every: timedelta) -> timedelta:
        """Until the next try after a failure: ever longer, never longer than an hour."""
        first = min(FIRST_PAUSE, every)
        longest = max(LONGEST_PAUSE, every)
        return min(timedelta(seconds=first.total_seconds() * (1 << min(self.tries, 12))), longest)

    def counted(self, new: int, now: datetime) -> JsonObject:
        """``found`` with so many more of today; what is older than two weeks is forgotten."""
        oldest = f"{now - timedelta(days=DAYS):%Y-%m-%d}"
        today = f"{now:%Y-%m-%d}"
        kept = {day: n for day, n in self.found.items() if day > oldest}
        before = kept.get(today, 0)
        return {**kept, today: (before if isinstance(before, int) else 0) + new}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """A host's word that something happened. ``id`` is the host's, the same when it repeats it."""

    watch: str
    id: str
    event: str
    received_at: datetime


class Judged(StrEnum):
    """What a person made of a suspicion."""

    OPEN = "open"
    INCIDENT = "incident"
    DISMISSED = "dismissed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """What a look cannot judge alone: a stream that has changed, a find that nobody is sure of."""

    id: int
    source: SourceId
    rule: str
    place: str
    reason: str
    fingerprint: str
    found_at: datetime
    state: Judged = Judged.OPEN
    incident: IncidentId | None = None


class Sources(Protocol):
    """Everything that is watched, in the store."""

    def get(self, source: SourceId) -> Source | None:
        """One source."""

    def list(self) -> tuple[Source, ...]:
        """All, by watch and subject."""

    def due(self, now: datetime) -> tuple[SourceId, ...]:
        """Those to be looked at now: of which there is news first, then who waits longest."""

    def save(self, source: Source) -> None:
        """Insert it, or write over what was there."""

    def remove(self, source: SourceId) -> None:
        """It is not watched any more; its suspicions go with it."""

    def receive(self, delivery: Delivery) -> bool:
        """Remember a delivery; False when its watch has had it already."""

    def forget(self, before: datetime) -> None:
        """Deliveries that nobody will repeat."""

    def suspect(self, suspicion: Suspicion) -> bool:
        """Add one (its id is given here); False when the source has it already."""

    def suspicions(self, state: Judged = Judged.OPEN) -> tuple[Suspicion, ...]:
        """Those of a state, oldest first."""

    def suspicion(self, number: int) -> Suspicion | None:
        """One suspicion."""

    def judge(self, number: int, state: Judged, incident: IncidentId | None = None) -> None:
        """A person has judged it."""


class WatchTransaction(Transaction, Protocol):
    """The store's transaction, for who watches."""

    @property
    def sources(self) -> Sources:
        """What is watched."""


class WatchStore(Protocol):
    """The truth, for who watches."""

    def transaction(self) -> AbstractContextManager[WatchTransaction]:
        """As the store's own."""

    def snapshot(self) -> AbstractContextManager[WatchTransaction]:
        """As the store's own."""

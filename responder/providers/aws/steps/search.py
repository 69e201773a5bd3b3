"""How far a search of the trail has come and what it found: all that must outlive a worker.

It is kept in the database between two tries, so it is bounded, and holds no whole key id: a
credential born from the leaked one is named by the event that bore it, and looked up again there.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime

import msgspec

from stanch.responder.domain.json import JsonObject, JsonValue
from stanch.responder.domain.resolved_type import resolved
from stanch.responder.providers.aws.adapter.error import mask_id
from stanch.responder.providers.aws.adapter.identity import text_of
from stanch.responder.providers.aws.adapter.trail import Child, Use
from stanch.responder.providers.aws.steps.lineage import Heir, heir_of

TOP = 20
EVENTS = 200
NAMES = 400  # different addresses, agents or calls that are told apart
CREDENTIALS = 25  # that are searched
CHILDREN = 1000  # that are named
PAGES = 120  # for one credential in one Region
FAILURES = 8  # in a row, until a Region counts as unread


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where a credential is named: the event that bore it. Empty: it is the leaked key."""

    event: str = ""
    region: str = ""
    number: int = 0  # which of those that the event bore


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """What is left to read for one credential in one Region."""

    credential: int
    region: str
    token: str = ""
    pages: int = 0
    failures: int = 0


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """A use, as reports list it."""

    id: str
    at: datetime
    api: str
    ip: str
    outcome: str


class Search(msgspec.Struct, kw_only=True):
    """Breadth first over the credential tree, each credential in every Region."""

    began: datetime
    regions: list[str]
    origins: list[Origin] = msgspec.field(default_factory=lambda: [Origin()])
    left: list[Place] = []
    unread: dict[str, str] = {}
    truncated: bool = False
    known: list[str] = []  # digests of the ids that are searched, or will be
    born: list[Heir] = []
    children: list[str] = []
    own: int = 0
    count: int = 0
    denied: int = 0
    first: str = ""
    last: str = ""
    ips: dict[str, int] = {}
    agents: dict[str, int] = {}
    apis: dict[str, int] = {}
    events: list[Event] = []

    def follow(self, origin: Origin) -> None:
        """Search a credential everywhere, unless there are too many already."""
        if len(self.origins) >= CREDENTIALS:
            self.truncated = True
            return
        self.origins.append(origin)
        self.open(len(self.origins) - 1)

    def open(self, credential: int) -> None:
        """All of it is left to read."""
        self.left += [Place(credential=credential, region=region) for region in self.regions]

    def take(self, place: Place, uses: Iterable[Use], agents: frozenset[str]) -> None:
        """Count a page, and follow what it shows to be born. Ours are told by their agents."""
        for use in uses:
            ours = any(each in use.agent for each in agents)
            self._count(use, ours=ours)
            for number, child in enumerate(use.born):
                self._meet(child, use, place, number, ours=ours)

    def _meet(self, child: Child, use: Use, place: Place, number: int, *, ours: bool) -> None:
        digest = hashlib.sha256(child.id.encode()).hexdigest()[:16]
        if digest in self.known:
            return
        if len(self.known) >= CHILDREN:
            self.truncated = True
            return
        self.known.append(digest)
        if child.in_trail:
            self.follow(Origin(event=use.id, region=place.region, number=number))
        if not ours:
            self.born.append(heir_of(child))
            shown = mask_id(child.id) if child.in_trail else child.id
            self.children.append(f"{shown} by {use.api}")

    def _count(self, use: Use, *, ours: bool) -> None:
        if ours:
            self.own += 1
            return
        at = text_of(use.at)
        self.count += 1
        self.denied += use.denied
        self.first, self.last = min(self.first or at, at), max(self.last, at)
        for names, name in ((self.ips, use.ip), (self.agents, use.agent), (self.apis, use.api)):
            if name in names or len(names) < NAMES:
                names[name] = names.get(name, 0) + 1
        event = Event(id=use.id, at=use.at, api=use.api, ip=use.ip, outcome=use.outcome)
        self.events.append(event)
        if len(self.events) > EVENTS * 2:
            self.events = self.newest()

    def newest(self) -> list[Event]:
        """The uses that are listed, in the order of time."""
        return sorted(self.events, key=lambda event: (event.at, event.id))[-EVENTS:]

    def summary(self) -> dict[str, JsonValue]:
        """What is told of the uses that are not ours."""
        return {
            "count": self.count,
            "denied": self.denied,
            "first": self.first,
            "last": self.last,
            "source_ips": _top(self.ips),
            "user_agents": _top(self.agents),
            "apis": _top(self.apis),
            "children": list[JsonValue](self.children[:TOP]),
            "events": [
                {"time": text_of(e.at), "api": e.api, "ip": e.ip, "outcome": e.outcome}
                for e in self.newest()
            ],
            "born": msgspec.to_builtins(self.born),
            "truncated": self.truncated or self.count > EVENTS,
            "own": self.own,
            "regions": [region for region in self.regions if region not in self.unread],
            "unread": [f"{region}: {why}" for region, why in sorted(self.unread.items())],
        }

    def cursor(self) -> JsonObject:
        """For the next try."""
        self.events = self.newest()
        kept: JsonObject = msgspec.to_builtins(self)
        return kept


_SEARCH = resolved(Search)


def resumed(cursor: JsonObject) -> Search | None:
    """As the last try left it; None when this is the first."""
    return msgspec.convert(cursor, _SEARCH) if "began" in cursor else None


def _top(names: dict[str, int]) -> dict[str, JsonValue]:
    """The most frequent names with their counts."""
    counted = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return dict(counted[:TOP])

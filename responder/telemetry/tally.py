"""Numbers about secrets, counted from the record: what is not on it is not counted.

They survive restarts, count what every process did, and can be proven by the ledger.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from stanch.responder.domain.timeline import Event

BUCKETS = (0.001, 0.005, 0.02, 0.05, 0.1, 0.15, 0.3, 1.0, 5.0, 15.0)
"""Upper bounds of fetches, in seconds: 0.15 is the objective, 5 the alert."""
ROTATION_BUCKETS = (1.0, 10.0, 60.0, 300.0, 1800.0, 7200.0)

OUTCOMES = frozenset({"given", "indexed", "absent", "denied", "refused", "unreachable"})
UNAUTHORISED = frozenset({"denied", "refused"})
ERRORS = frozenset({"unreachable"})
ROTATED = {"rotation.done": "finished", "rotation.rolled_back": "failed"}
_NONE = "none"

Labels = tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class Histogram:
    """How many took at most so long."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    total: float = 0.0
    number: int = 0

    def add(self, seconds: float) -> None:
        """One more."""
        self.counts = self.counts or [0] * len(self.bounds)
        for at, bound in enumerate(self.bounds):
            self.counts[at] += seconds <= bound
        self.total += seconds
        self.number += 1


@dataclass(slots=True, kw_only=True)
class Tally:
    """Counts of everything that was added. Labels are few: never a secret's name."""

    accesses: Counter[Labels] = field(default_factory=Counter)  # backend, environment, outcome
    fetches: dict[Labels, Histogram] = field(default_factory=dict)  # backend, environment
    cache: Counter[Labels] = field(default_factory=Counter)  # environment, result
    rotations: Counter[Labels] = field(default_factory=Counter)  # outcome
    rotating: Histogram = field(default_factory=lambda: Histogram(bounds=ROTATION_BUCKETS))
    begun: dict[str, datetime] = field(default_factory=dict)  # rotations without an end, by secret
    incidents: Counter[Labels] = field(default_factory=Counter)  # what happened
    outside: dict[str, int] = field(default_factory=dict)  # values in files, by migration
    uncontained: set[int] = field(default_factory=set)

    def add(self, event: Event) -> None:
        """Count one entry of the record."""
        room, _, what = event.action.partition(".")
        match room:
            case "secret" if what in OUTCOMES:
                self._access(what, event.detail)
            case "rotation":
                self._rotation(event)
            case "incident":
                self._incident(what, event)
            case "migration":
                self._migration(what, event.detail)
            case _:
                pass

    def add_all(self, events: Iterable[Event]) -> None:
        """Count them all."""
        for event in events:
            self.add(event)

    def _access(self, outcome: str, detail: Mapping[str, object]) -> None:
        backend = str(detail.get("source") or _NONE)
        environment = str(detail.get("environment") or _NONE)
        self.accesses[backend, environment, outcome] += 1
        seconds = detail.get("seconds")
        if isinstance(seconds, int | float):
            key = (backend, environment)
            self.fetches.setdefault(key, Histogram(bounds=BUCKETS)).add(float(seconds))
        result = detail.get("cache")
        if isinstance(result, str) and result:
            self.cache[environment, result] += 1

    def _rotation(self, event: Event) -> None:
        """From its first entry to its last; one that broke off stays open."""
        name = str(event.detail.get("reference"))
        if event.action == "rotation.begun":
            self.begun[name] = event.at
        elif event.action in ROTATED:
            self.rotations[(ROTATED[event.action],)] += 1
            began = self.begun.pop(name, None)
            if began is not None:
                self.rotating.add(max(0.0, (event.at - began).total_seconds()))

    def _incident(self, what: str, event: Event) -> None:
        self.incidents[(what,)] += 1
        if event.incident is None:
            return
        if what in {"opened", "reopened", "containment_lifted"}:
            self.uncontained.add(int(event.incident))
        elif what in {"contained", "proven_dead", "closed"}:
            self.uncontained.discard(int(event.incident))

    def _migration(self, phase: str, detail: Mapping[str, object]) -> None:
        """Values that the newest run of a migration has seen in files, until they are replaced."""
        name = str(detail.get("migration"))
        lines = detail.get("lines")
        if phase == "plan" and isinstance(lines, list | tuple):
            said = [line.get("said") for line in lines if isinstance(line, Mapping)]
            self.outside[name] = sum(each not in _NOT_OUTSIDE for each in said)
        elif phase == "guard" and detail.get("state") == "done":
            self.outside[name] = 0


_NOT_OUTSIDE = frozenset({"plain", "empty", "reference", "moved"})

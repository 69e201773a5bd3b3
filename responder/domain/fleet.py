"""A fleet: one scan of many things, planned as units of work that any number of workers take."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

from stanch.responder.domain.json import JsonObject


class UnitState(StrEnum):
    """Where a unit of work stands."""

    PENDING = "pending"
    WAITING = "waiting"  # could not be read, and is tried again when its time has come
    RUNNING = "running"
    DONE = "done"
    ASIDE = "aside"  # will not be tried again; ``error`` says why
    OMITTED = "omitted"  # the fleet's file leaves it out

    @property
    def over(self) -> bool:
        """Whether nobody will take it any more."""
        return self in {UnitState.DONE, UnitState.ASIDE, UnitState.OMITTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostLimit:
    """How hard one host may be pressed by all workers together.

    ``slots``: units in work at a time; None for any number. ``pace``: between two units that begin,
    of which ``burst`` may begin at once.
    """

    slots: int | None = None
    pace: timedelta | None = None
    burst: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a fleet may ask of hosts, how often a unit is tried, and which it leaves out by name."""

    hosts: Mapping[str, HostLimit] = field(default_factory=dict)
    default: HostLimit = HostLimit(slots=8)
    losses: int = 3  # workers that may be lost over a unit
    tries: int = 3  # failures in a row of a kind that may pass
    exclude: tuple[str, ...] = ()

    def of(self, host: str) -> HostLimit:
        """The limit for a host; whatever is on a worker's own machine has none."""
        if not host:
            return HostLimit()
        return self.hosts.get(host) or self.hosts.get(host.partition(":")[0]) or self.default


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """One scan of everything that a file names.

    ``digest`` is of what was asked: who asks for the same again while it is not finished gets this
    one. ``basis`` says who may work on it.
    """

    id: str
    name: str
    digest: str
    basis: str
    commission: JsonObject
    limits: JsonObject
    started_at: datetime
    rung_at: datetime | None = None
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRun:
    """One unit of a fleet. ``token`` fences: a write with an older token is refused.

    ``position`` orders the results: that of the target in the file, then that in its host's list.
    ``losses`` counts workers that were lost over it, ``tries`` failures in a row.
    """

    fleet: str
    source: int
    item: int
    name: str
    host: str
    unit: JsonObject
    state: UnitState = UnitState.PENDING
    token: int = 0
    lease_until: datetime | None = None
    due_at: datetime | None = None
    tries: int = 0
    losses: int = 0
    worker: str = ""
    began_at: datetime | None = None
    finished_at: datetime | None = None
    findings: int = 0
    size: int = 0
    complete: bool = True
    digest: str = ""
    error: str | None = None
    remedy: str | None = None

    @property
    def run(self) -> str:
        """What it belongs to, as leases call it."""
        return self.fleet

    @property
    def id(self) -> str:
        """Its name there."""
        return f"{self.source}/{self.item}"

    @property
    def position(self) -> tuple[int, int]:
        """Where it stands in the order of results."""
        return self.source, self.item


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetProgress:
    """How far a fleet is."""

    states: Mapping[UnitState, int]
    findings: int = 0
    size: int = 0  # bytes read
    incomplete: int = 0  # units of which something could not be read

    @property
    def units(self) -> int:
        """All that are to be read."""
        return sum(self.states.values()) - self.states.get(UnitState.OMITTED, 0)

    @property
    def of(self) -> str:
        """The same with its noun."""
        return f"{self.units:,} unit{'' if self.units == 1 else 's'}"

    @property
    def over(self) -> int:
        """Those that nobody will take any more."""
        return sum(self.states.get(state, 0) for state in (UnitState.DONE, UnitState.ASIDE))

    @property
    def left(self) -> int:
        """Those that somebody has yet to take, or has."""
        return self.units - self.over


class Fleets(Protocol):
    """Fleets and their units."""

    def add(self, fleet: Fleet, units: Sequence[UnitRun]) -> None:
        """Insert a fleet with the units that are known."""

    def get(self, fleet: str) -> Fleet | None:
        """One fleet."""

    def list(self) -> tuple[Fleet, ...]:
        """All of them, newest first."""

    def save(self, fleet: Fleet) -> None:
        """Update a fleet."""

    def remove(self, fleet: str) -> None:
        """Forget a fleet with all that it brought."""

    def claim(
        self, fleet: Fleet, limits: Limits, *, worker: str, now: datetime, lease: timedelta
    ) -> UnitRun | None:
        """Take the first unit that is free and whose host bears one more; None when none is.

        One over which too many workers were lost is set aside instead of being taken.
        """

    def free(self, fleet: Fleet, now: datetime) -> int:
        """How many units nobody holds and everybody may take, if their hosts bear it."""

    def pause(self, fleet: Fleet, now: datetime) -> timedelta | None:
        """How long until it is worth asking again; None when no unit is free any more."""

    def stalled(self, fleet: Fleet, now: datetime) -> int:
        """How many units are free although nobody has taken one for a while."""

    def renew(self, held: UnitRun, *, until: datetime) -> None:
        """Prolong the lease, or raise LeaseLost when ``held.token`` is not the newest."""

    def write(
        self, unit: UnitRun, brought: bytes | None = None, more: Sequence[UnitRun] = ()
    ) -> None:
        """Store the unit with what it brought and the units it led to.

        Raises LeaseLost, with nothing written, when ``unit.token`` is not the newest.
        """

    def after(self, fleet: str, position: tuple[int, int]) -> UnitRun | None:
        """The next unit in the order of results."""

    def brought(self, unit: UnitRun) -> bytes:
        """What a unit brought. Raises Tampered when it is not what its worker wrote."""

    def units(self, fleet: str, state: UnitState) -> tuple[UnitRun, ...]:
        """The units in this state, in order."""

    def progress(self, fleet: str) -> FleetProgress:
        """How far it is."""


class FleetTransaction(Protocol):
    """What a fleet needs of a transaction."""

    @property
    def fleets(self) -> Fleets:
        """Fleets and their units."""

    def now(self) -> datetime:
        """The store's time, UTC."""


class FleetStore(Protocol):
    """What a fleet needs of the store."""

    def transaction(self) -> AbstractContextManager[FleetTransaction]:
        """Commit at the end of the block, roll back on any exception."""

    def snapshot(self) -> AbstractContextManager[FleetTransaction]:
        """One consistent view, for reading."""

"""Fleets in tables: who may take which unit, and what each has brought, once."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from shlex import quote
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)

from stanch.responder.domain.error import Tampered
from stanch.responder.domain.fleet import (
    Fleet,
    FleetProgress,
    HostLimit,
    Limits,
    UnitRun,
    UnitState,
)
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.claim import claimable, fenced, renewal, take
from stanch.responder.store.mark import Marked, genuine_read
from stanch.responder.store.pace import SqlPaces
from stanch.responder.store.row import build, values
from stanch.responder.store.table import fleets, unit_results, units

_OPEN = (UnitState.PENDING, UnitState.WAITING)
_SHORT, _LONG = timedelta(milliseconds=200), timedelta(seconds=5)


class SqlFleets:
    """The port ``Fleets`` over one connection."""

    def __init__(self, connection: Connection, seal: LedgerSeal) -> None:
        self._connection = connection
        self._seal = seal
        self._fleets = Marked(connection, fleets, seal)
        self._units = Marked(connection, units, seal)
        self._paces = SqlPaces(connection)

    def add(self, fleet: Fleet, units: Sequence[UnitRun]) -> None:
        """Insert a fleet with the units that are known."""
        self._connection.execute(insert(fleets).values(self._fleets.values(values(fleet))))
        self._insert(units)

    def get(self, fleet: str) -> Fleet | None:
        """One fleet. Raises Tampered when somebody else wrote it."""
        row = self._connection.execute(select(fleets).where(fleets.c.id == fleet)).one_or_none()
        return None if row is None else self._fleet(row)

    def list(self) -> tuple[Fleet, ...]:
        """All of them, newest first."""
        query = select(fleets).order_by(fleets.c.started_at.desc(), fleets.c.id)
        return tuple(map(self._fleet, self._connection.execute(query)))

    def save(self, fleet: Fleet) -> None:
        """Update a fleet."""
        where = fleets.c.id == fleet.id
        row = self._fleets.over(where, values(fleet))
        self._connection.execute(update(fleets).where(where).values(row))

    def remove(self, fleet: str) -> None:
        """Forget a fleet with all that it brought."""
        for table, column in (
            (unit_results, unit_results.c.fleet),
            (units, units.c.fleet),
            (fleets, fleets.c.id),
        ):
            self._connection.execute(delete(table).where(column == fleet))

    def claim(
        self, fleet: Fleet, limits: Limits, *, worker: str, now: datetime, lease: timedelta
    ) -> UnitRun | None:
        """Take the first unit that is free and whose host bears one more.

        One over which too many workers were lost is set aside instead of being taken.
        """
        hosts = self._bearing(fleet, limits, now)
        while hosts:
            free = and_(_free(fleet, now), units.c.host.in_(hosts))
            query = select(units).where(free).order_by(units.c.source, units.c.item).limit(1)
            row = self._connection.execute(query).one_or_none()
            if row is None:
                return None
            unit = self._unit(row)
            losses = unit.losses + (unit.state is UnitState.RUNNING)
            if losses >= limits.losses:
                self._poisoned(replace(unit, losses=losses), now)
                continue
            also = {"losses": losses, "worker": worker, "began_at": now, "due_at": None}
            where = and_(_is(unit), free)
            if not take(self._connection, units, where, until=now + lease, also=also):
                return None
            self._units.again(_is(unit), sound=True)  # as `_unit` has seen
            self._pace(unit.host, limits.of(unit.host), now)
            return self._unit(self._connection.execute(select(units).where(_is(unit))).one())
        return None

    def free(self, fleet: Fleet, now: datetime) -> int:
        """How many units nobody holds and everybody may take, if their hosts bear it."""
        query = select(func.count()).select_from(units).where(_free(fleet, now))
        return int(self._connection.execute(query).scalar_one())

    def pause(self, fleet: Fleet, now: datetime) -> timedelta | None:
        """How long until it is worth asking again; None when no unit is free any more."""
        asked = select(func.count(), func.count(units.c.due_at), func.min(units.c.due_at))
        open_ones = asked.where(units.c.fleet == fleet.id, units.c.state.in_(_OPEN))
        count, timed, due = self._connection.execute(open_ones).one()
        if not count:
            return None
        return _SHORT if timed < count else min(max(due - now, _SHORT), _LONG)

    def renew(self, held: UnitRun, *, until: datetime) -> None:
        """Prolong the lease, or raise LeaseLost when ``held.token`` is not the newest."""
        fenced(self._connection, units, _is(held), held.token, renewal(units, until))

    def write(
        self, unit: UnitRun, brought: bytes | None = None, more: Sequence[UnitRun] = ()
    ) -> None:
        """Store the unit with what it brought and the units it led to, or raise LeaseLost."""
        digest = "" if brought is None else hashlib.sha256(brought).hexdigest()
        unit = replace(unit, digest=digest)
        row = self._units.over(_is(unit), values(unit))
        fenced(self._connection, units, _is(unit), unit.token, row)
        if brought is not None:
            packed = zlib.compress(brought, 6)
            self._connection.execute(insert(unit_results).values(_key(unit) | {"brought": packed}))
        self._insert(more)

    def after(self, fleet: str, position: tuple[int, int]) -> UnitRun | None:
        """The next unit in the order of results."""
        behind = tuple_(units.c.source, units.c.item) > position
        query = select(units).where(units.c.fleet == fleet, behind)
        row = self._connection.execute(
            query.order_by(units.c.source, units.c.item).limit(1)
        ).one_or_none()
        return None if row is None else self._unit(row)

    def brought(self, unit: UnitRun) -> bytes:
        """What a unit brought. Raises Tampered when it is not what its worker wrote."""
        key = and_(*(unit_results.c[name] == value for name, value in _key(unit).items()))
        packed = self._connection.execute(select(unit_results.c.brought).where(key)).scalar()
        try:
            found = b"" if packed is None else zlib.decompress(packed)
        except zlib.error:
            found = b""
        if hashlib.sha256(found).hexdigest() != unit.digest:
            raise Tampered(f"what the unit {unit.name} brought is not what its worker wrote")
        return found

    def units(self, fleet: str, state: UnitState) -> tuple[UnitRun, ...]:
        """The units in this state, in order."""
        query = select(units).where(units.c.fleet == fleet, units.c.state == state)
        rows = self._connection.execute(query.order_by(units.c.source, units.c.item))
        return tuple(map(self._unit, rows))

    def progress(self, fleet: str) -> FleetProgress:
        """How far it is."""
        sums = (func.count(), func.sum(units.c.findings), func.sum(units.c.size))
        query = select(units.c.state, units.c.complete, *sums).where(units.c.fleet == fleet)
        states: dict[UnitState, int] = {}
        findings = size = incomplete = 0
        rows = self._connection.execute(query.group_by(units.c.state, units.c.complete))
        for state, complete, count, found, read in rows:
            states[state] = states.get(state, 0) + count
            findings, size = findings + int(found), size + int(read)
            incomplete += 0 if complete else count
        return FleetProgress(states=states, findings=findings, size=size, incomplete=incomplete)

    def stalled(self, fleet: Fleet, now: datetime) -> int:
        """How many units are free although nobody has taken one for a while."""
        free = self.free(fleet, now)
        query = select(func.max(units.c.began_at)).where(units.c.fleet == fleet.id)
        began = self._connection.execute(query).scalar_one()
        held = self._held(units.c.fleet == fleet.id, now)
        quiet = timedelta(seconds=60 if held else 2)
        last = max(filter(None, (began, fleet.rung_at)), default=None)
        if not free or (last is not None and now - last < quiet):
            return 0
        return 1 if held else free

    def _bearing(self, fleet: Fleet, limits: Limits, now: datetime) -> tuple[str, ...]:
        """The hosts with a free unit that bear one more now."""
        rows = self._connection.execute(select(units.c.host).where(_free(fleet, now)).distinct())
        return tuple(host for (host,) in rows if self._bears(host, limits.of(host), now))

    def _bears(self, host: str, limit: HostLimit, now: datetime) -> bool:
        if limit.slots is not None and self._held(units.c.host == host, now) >= limit.slots:
            return False
        if limit.pace is None:
            return True
        due = self._paces.due(host)
        return due is None or due - now <= limit.pace * (limit.burst - 1)

    def _pace(self, host: str, limit: HostLimit, now: datetime) -> None:
        """Spend a token."""
        if limit.pace is None:
            return
        self._paces.spend(host, limit.pace, now)

    def _held(self, where: ColumnElement[bool], now: datetime) -> int:
        held = and_(where, units.c.state == UnitState.RUNNING, units.c.lease_until > now)
        return int(self._connection.execute(select(func.count()).where(held)).scalar_one())

    def _poisoned(self, unit: UnitRun, now: datetime) -> None:
        lost = replace(
            unit,
            state=UnitState.ASIDE,
            token=unit.token + 1,
            lease_until=None,
            finished_at=now,
            complete=False,
            error=f"{unit.losses} workers were lost over it, the last of them {unit.worker}",
            remedy="look there for what ended it (memory, a limit of time), then scan it alone: "
            f"stanch scan {quote(str(unit.unit['target']))}",
        )
        row = self._units.over(_is(unit), values(lost))
        self._connection.execute(update(units).where(_is(unit)).values(row))

    def _insert(self, more: Iterable[UnitRun]) -> None:
        rows = [self._units.values(values(each)) for each in more]
        if rows:
            self._connection.execute(insert(units), rows)

    def _fleet(self, row: Row[Any]) -> Fleet:
        if not genuine_read(fleets, row, self._seal):
            raise Tampered(f"the fleet {row.id} was written by somebody else")
        return build(Fleet, row)

    def _unit(self, row: Row[Any]) -> UnitRun:
        if not genuine_read(units, row, self._seal):
            raise Tampered(f"the unit {row.source}/{row.item} of a fleet was written by others")
        return build(UnitRun, row)


def _free(fleet: Fleet, now: datetime) -> ColumnElement[bool]:
    return and_(units.c.fleet == fleet.id, claimable(units, now, (UnitState.PENDING,)))


def _is(unit: UnitRun) -> ColumnElement[bool]:
    return and_(*(units.c[name] == value for name, value in _key(unit).items()))


def _key(unit: UnitRun) -> dict[str, Any]:
    return {"fleet": unit.fleet, "source": unit.source, "item": unit.item}

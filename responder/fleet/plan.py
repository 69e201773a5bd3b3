"""Plans a fleet: what is to be read becomes rows, once, whoever asks and however often."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from stanch.responder.domain.fleet import (
    Fleet,
    FleetStore,
    FleetTransaction,
    Limits,
    UnitRun,
    UnitState,
)
from stanch.responder.domain.json import JsonObject, JsonValue, canonical
from stanch.responder.domain.resolved_type import resolved
from stanch.responder.fleet.file import FleetFile
from stanch.scanner.api import Commission, Unit

_KEPT = timedelta(days=1)  # for who still reads what an earlier fleet has brought
_SOURCES = "sources"  # beside the limits: how many targets were planned
_LED = "led"  # beside an owner's unit: how many units it led to
_LIMITS = resolved(Limits)
_COUNT = resolved(int)
_TODAY = "today"  # of a commission: the day does not make it another one


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The fleet, and whether it had begun before."""

    fleet: Fleet
    resumed: bool


def plan(store: FleetStore, file: FleetFile, commission: Commission, basis: str) -> Planned:
    """Begin the fleet, or go on with one that was asked for in the same words and not finished.

    One of the same name that was asked for in other words is ended: its file has changed.
    """
    asked = commission.as_json()
    limits: JsonObject = msgspec.to_builtins(file.limits)
    undated = {name: value for name, value in asked.items() if name != _TODAY}
    same: JsonValue = [undated, [each.as_json() for each in file.units], limits, basis]
    digest = hashlib.sha256(canonical(same)).hexdigest()
    with store.transaction() as tx:
        now = tx.now()
        for known in tx.fleets.list():
            if known.name != file.name:
                continue
            if known.finished_at is None and known.digest == digest:
                return Planned(fleet=known, resumed=True)
            _end(tx, known, now)
        fleet = Fleet(
            id=os.urandom(16).hex(),
            name=file.name,
            digest=digest,
            basis=basis,
            commission=asked,
            limits={**limits, _SOURCES: len(file.units)},
            started_at=now,
        )
        tx.fleets.add(fleet, rows(fleet, enumerate(file.units, 1), item=None))
    return Planned(fleet=fleet, resumed=False)


def finish(store: FleetStore, fleet: Fleet) -> None:
    """What it brought was told: who asks for the same again wants it read anew."""
    with store.transaction() as tx:
        found = tx.fleets.get(fleet.id)
        if found is not None and found.finished_at is None:
            tx.fleets.save(replace(found, finished_at=tx.now()))


def rows(fleet: Fleet, units: Iterable[tuple[int, Unit]], *, item: int | None) -> Sequence[UnitRun]:
    """Units as rows: numbered by their place in the file, or below the owner ``item``."""
    exclude = limits_of(fleet).exclude
    return [
        UnitRun(
            fleet=fleet.id,
            source=number if item is None else item,
            item=0 if item is None else number,
            name=unit.name,
            host=unit.host,
            unit=unit.as_json(),
            state=UnitState.OMITTED if unit.fits(exclude) else UnitState.PENDING,
        )
        for number, unit in units
    ]


def limits_of(fleet: Fleet) -> Limits:
    """The limits of a fleet's row."""
    return msgspec.convert(fleet.limits, _LIMITS)


def sources_of(fleet: Fleet) -> int:
    """How many targets the fleet was planned with; its row's mark vouches for it."""
    return msgspec.convert(fleet.limits[_SOURCES], _COUNT)


def led(unit: UnitRun, more: Sequence[UnitRun]) -> UnitRun:
    """The owner's unit, with how many units it led to."""
    return replace(unit, unit={**unit.unit, _LED: len(more)})


def led_by(unit: UnitRun) -> int:
    """How many units it led to; its row's mark vouches for it."""
    return msgspec.convert(unit.unit.get(_LED, 0), _COUNT)


def _end(tx: FleetTransaction, fleet: Fleet, now: datetime) -> None:
    if fleet.finished_at is None:
        tx.fleets.save(replace(fleet, finished_at=now))
    elif now - fleet.finished_at > _KEPT:
        tx.fleets.remove(fleet.id)

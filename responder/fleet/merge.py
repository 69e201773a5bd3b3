"""Merges what units brought, in the order of the file: the same report however many workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from stanch.responder.domain.fleet import FleetStore, UnitRun, UnitState
from stanch.scanner.api import Brought, Gap, SourceError, unread


def merged(store: FleetStore, fleet: str, wait: Callable[[], None]) -> Iterator[Brought]:
    """What each unit brought, as soon as all before it are over; ``wait`` until that may be."""
    position = (0, 0)
    while True:
        with store.snapshot() as tx:
            unit = tx.fleets.after(fleet, position)
            over = unit is not None and unit.state.over
            brought = tx.fleets.brought(unit) if unit is not None and unit.digest else None
        if unit is None:
            return
        if not over:
            wait()
            continue
        position = unit.position
        if brought is not None:
            yield Brought.read(json.loads(brought))
        elif unit.state is UnitState.ASIDE:
            yield _aside(unit)


def _aside(unit: UnitRun) -> Brought:
    """One that will not be read is a gap, as it is in a scan of itself."""
    brought = Brought()
    brought.add(_gap(unit))
    return brought


def _gap(unit: UnitRun) -> Gap:
    return unread(unit.name, SourceError(unit.error or "set aside", remedy=unit.remedy or ""))

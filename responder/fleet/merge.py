"""Merges what units brought, in the order of the file: the same report however many workers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

from stanch.responder.domain.error import Tampered
from stanch.responder.domain.fleet import Fleet, FleetStore, UnitRun, UnitState
from stanch.responder.fleet.plan import led_by, sources_of
from stanch.scanner.api import Brought, Gap, SourceError, unread


def merged(store: FleetStore, fleet: Fleet, wait: Callable[[], None]) -> Iterator[Brought]:
    """What each unit brought, as soon as all before it are over; ``wait`` until that may be.

    Raises Tampered where a unit is missing that was planned.
    """
    order = _Order()
    read = False
    while True:
        with store.snapshot() as tx:
            unit = tx.fleets.after(fleet.id, order.position)
            over = unit is not None and unit.state.over
            brought = tx.fleets.brought(unit) if unit is not None and unit.digest else None
        if unit is None:
            order.end(sources_of(fleet))
            if not read:
                yield _nothing(fleet)
            return
        if not over:
            wait()
            continue
        order.go_on(unit)
        read = read or brought is not None or unit.state is UnitState.ASIDE
        if brought is not None:
            yield Brought.read(json.loads(brought))
        elif unit.state is UnitState.ASIDE:
            yield _aside(unit)


class _Order:
    """Counts units as they pass: who can delete rows could hide findings otherwise."""

    def __init__(self) -> None:
        self.position = (0, 0)
        self._led = 0  # how many units the last target led to

    def go_on(self, unit: UnitRun) -> None:
        """The next one is this."""
        source, item = self.position
        if unit.source == source:
            expected = (source, item + 1)
        else:
            self._whole()
            expected, self._led = (source + 1, 0), led_by(unit)
        if unit.position != expected:
            raise Tampered(f"a unit before {unit.name} is missing from the fleet")
        self.position = unit.position

    def end(self, sources: int) -> None:
        """There is no other."""
        self._whole()
        if self.position[0] != sources:
            raise Tampered("the last units of the fleet are missing")

    def _whole(self) -> None:
        source, item = self.position
        if item != self._led:
            raise Tampered(f"units of the target {source} are missing from the fleet")


def _aside(unit: UnitRun) -> Brought:
    """One that will not be read is a gap, as it is in a scan of itself."""
    brought = Brought()
    brought.add(_gap(unit))
    return brought


def _nothing(fleet: Fleet) -> Brought:
    """A fleet of which no unit was read vouches for nothing: its owners had none, or none left."""
    brought = Brought()
    error = SourceError(
        "nothing was left to scan: its owners list no repository that `exclude` leaves",
        remedy="narrow `exclude`, or give a token that sees more: docs/fleet.md",
    )
    brought.add(unread(fleet.name, error))
    return brought


def _gap(unit: UnitRun) -> Gap:
    return unread(unit.name, SourceError(unit.error or "set aside", remedy=unit.remedy or ""))

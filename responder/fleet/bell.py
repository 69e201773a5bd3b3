"""Rings for fleets. A ring is lost easily and says nothing: the rows are what counts."""

from __future__ import annotations

from dataclasses import replace

from stanch.responder.domain.fleet import Fleet, FleetStore
from stanch.responder.domain.ports import Doorbell, Errand

_MOST = 32  # rings at a time: each that finds a unit rings again when it is done


def ring(store: FleetStore, doorbell: Doorbell, fleet: Fleet, times: int) -> int:
    """Wake so many workers for a fleet; returns how many rings that took."""
    times = min(times, _MOST)
    with store.transaction() as tx:
        found = tx.fleets.get(fleet.id)
        if found is None or found.finished_at is not None or not times:
            return 0
        tx.fleets.save(replace(found, rung_at=tx.now()))
    for _ in range(times):
        doorbell.ring(Errand.SCAN, fleet.id)
    return times


def ring_stalled(store: FleetStore, doorbell: Doorbell) -> int:
    """Ring for what nobody takes: its rings were lost, or the workers that heard them."""
    with store.snapshot() as tx:
        now = tx.now()
        going = [each for each in tx.fleets.list() if each.finished_at is None]
        stalled = [(each, tx.fleets.stalled(each, now)) for each in going]
    return sum(ring(store, doorbell, fleet, times) for fleet, times in stalled if times)

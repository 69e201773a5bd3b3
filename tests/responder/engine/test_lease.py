"""A lease is kept while somebody works, and its loss is noticed before an act."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import LeaseLost
from stanch.responder.engine.lease import Leases

SHORT = timedelta(milliseconds=60)  # renewed every 20 ms


def claim(room: Any, run: Any) -> Any:
    with room.store.transaction() as tx:
        step = tx.runs.claim(run, "a", now=tx.now(), lease=SHORT)
    assert step is not None
    return step


def until(true: Any) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_held_lease_is_renewed_and_a_released_one_is_not(room: Any) -> None:
    run = room.begin(room.line("a"))
    with Leases(room.store, SHORT) as leases:
        step = claim(room, run)
        leases.hold(step)
        room.clock.move(timedelta(seconds=1))
        until(lambda: room.steps(run)["a"].lease_until == room.clock.now + SHORT)
        leases.release(step)
    room.clock.move(timedelta(seconds=1))
    assert room.steps(run)["a"].lease_until < room.clock.now


def test_a_lease_that_another_took_is_lost_for_good(room: Any) -> None:
    run = room.begin(room.line("a"))
    with Leases(room.store, SHORT) as leases:
        mine = claim(room, run)
        leases.require(mine)
        room.clock.move(timedelta(minutes=1))
        taken = claim(room, run)
        leases.hold(mine)
        until(lambda: leases._lost)
        with pytest.raises(LeaseLost):
            leases.require(mine)
    assert taken.token == mine.token + 1

"""Units are taken by one at a time, hosts are not pressed, and what is brought is brought once."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from threading import Thread

import pytest

from stanch.responder.domain.error import LeaseLost
from stanch.responder.domain.fleet import Fleet, HostLimit, Limits, UnitRun, UnitState
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.sql import SqlStore, open_store

LEASE = timedelta(seconds=30)
START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
Begin = Callable[..., Fleet]


@pytest.fixture
def store(url: str, seal: LedgerSeal) -> Iterator[SqlStore]:
    with open_store(url, seal=seal) as opened:
        yield opened


@pytest.fixture
def begin(store: SqlStore) -> Begin:
    def make(*hosts: str) -> Fleet:
        fleet = Fleet(
            id=os.urandom(16).hex(), name="org", digest="d", basis="b",
            commission={}, limits={}, started_at=START,
        )  # fmt: skip
        units = [
            UnitRun(
                fleet=fleet.id, source=1, item=number, name=f"{host}/{number}", host=host,
                unit={"name": f"{host}/{number}", "target": f"https://{host}/{number}"},
            )
            for number, host in enumerate(hosts)
        ]  # fmt: skip
        with store.transaction() as tx:
            tx.fleets.add(fleet, units)
        return fleet

    return make


def claim(
    store: SqlStore, fleet: Fleet, limits: Limits, *, now: datetime = START, worker: str = "w"
) -> UnitRun | None:
    with store.transaction() as tx:
        return tx.fleets.claim(fleet, limits, worker=worker, now=now, lease=LEASE)


def done(unit: UnitRun) -> UnitRun:
    return replace(unit, state=UnitState.DONE, lease_until=None)


def test_units_are_given_out_in_order_and_each_once(store: SqlStore, begin: Begin) -> None:
    fleet, limits = begin("a", "b", "a"), Limits()
    taken = [claim(store, fleet, limits) for _ in range(4)]
    assert [unit.item if unit else None for unit in taken] == [0, 1, 2, None]


def test_who_was_fenced_off_writes_nothing(store: SqlStore, begin: Begin) -> None:
    fleet, limits = begin("a"), Limits()
    first = claim(store, fleet, limits, worker="slow")
    assert first is not None
    second = claim(store, fleet, limits, now=START + LEASE, worker="fast")
    assert second is not None
    assert (second.token, second.losses, second.worker) == (first.token + 1, 1, "fast")
    more = [replace(second, item=7, state=UnitState.PENDING)]
    with pytest.raises(LeaseLost), store.transaction() as tx:
        tx.fleets.write(done(first), b"late", more)
    with store.transaction() as tx:
        tx.fleets.write(done(second), b"found")
    with pytest.raises(LeaseLost), store.transaction() as tx:
        tx.fleets.renew(first, until=START)
    with store.snapshot() as tx:
        unit = tx.fleets.after(fleet.id, (0, 0))
        assert unit is not None
        assert tx.fleets.brought(unit) == b"found"
        assert tx.fleets.progress(fleet.id).states == {UnitState.DONE: 1}


def test_a_host_with_all_slots_taken_is_passed_over_by_every_fleet(
    store: SqlStore, begin: Begin
) -> None:
    limits = Limits(hosts={"a": HostLimit(slots=2)}, default=HostLimit())
    one, other = begin("a", "a", "a", "b"), begin("a")
    assert [claim(store, one, limits) is not None for _ in range(4)] == [True, True, True, False]
    assert claim(store, other, limits) is None
    # Of the two at the host one is killed: when its lease lapses, its slot and its unit are free.
    later = START + LEASE
    with store.snapshot() as tx:
        held = tx.fleets.units(one.id, UnitState.RUNNING)
    with store.transaction() as tx:
        tx.fleets.renew(held[1], until=later + LEASE)
    again = claim(store, one, limits, now=later)
    assert again is not None
    assert (again.item, again.losses) == (0, 1)
    assert claim(store, one, limits, now=later) is not None  # b's, which was lost as well
    assert claim(store, one, limits, now=later) is None


def test_a_host_is_asked_no_faster_than_its_rate_after_a_burst(
    store: SqlStore, begin: Begin
) -> None:
    pace = HostLimit(pace=timedelta(seconds=10), burst=2)
    limits = Limits(hosts={"a": pace}, default=HostLimit())
    fleet = begin(*["a"] * 40)
    began = [
        second
        for second in range(100)
        if claim(store, fleet, limits, now=START + timedelta(seconds=second))
    ]
    assert began[:2] == [0, 1]
    assert len(began) == 2 + 9
    assert all(later - first >= 9 for first, later in pairwise(began[1:]))


def test_a_unit_over_which_workers_are_lost_is_set_aside(store: SqlStore, begin: Begin) -> None:
    fleet, limits = begin("a", "a"), Limits(losses=2)
    times = [START + LEASE * number for number in range(3)]
    taken = [claim(store, fleet, limits, now=now) for now in times]
    assert [unit.item if unit else None for unit in taken] == [0, 0, 1]
    with store.snapshot() as tx:
        (aside,) = tx.fleets.units(fleet.id, UnitState.ASIDE)
    assert aside.error == "2 workers were lost over it, the last of them w"
    assert not aside.complete


def test_of_many_workers_one_gets_each_unit_and_no_host_has_more_than_its_slots(
    store: SqlStore, begin: Begin
) -> None:
    fleet = begin(*(["a"] * 12 + ["b"] * 6))
    limits = Limits(hosts={"a": HostLimit(slots=2)}, default=HostLimit(slots=3))
    most: dict[str, int] = {}
    written: list[int] = []

    def work(number: int) -> None:
        chance = random.Random(number)  # noqa: S311  # nothing is protected by it
        while True:
            with store.snapshot() as tx:
                if not tx.fleets.progress(fleet.id).left:
                    return
            unit = claim(store, fleet, limits, worker=f"w{number}")
            if unit is None:
                continue
            with store.snapshot() as tx:
                held = tx.fleets.units(fleet.id, UnitState.RUNNING)
            for host in "ab":
                count = sum(each.host == host for each in held)
                most[host] = max(most.get(host, 0), count)
            if chance.random() < 0.2:  # stopped, and gave it back
                with store.transaction() as tx:
                    tx.fleets.write(replace(unit, state=UnitState.PENDING, lease_until=None))
                continue
            with store.transaction() as tx:
                tx.fleets.write(done(unit), b"x")
            written.append(unit.item)

    threads = [Thread(target=work, args=(number,)) for number in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(written) == list(range(18))
    assert most["a"] <= 2
    assert most["b"] <= 3

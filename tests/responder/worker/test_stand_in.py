"""A worker whose broker is silent, or brings nothing, finds its work in the store."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pytest

from stanch.responder.bootstrap import House
from stanch.responder.domain.heartbeat import Heartbeat
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunState
from stanch.responder.services.delivery import Delivery
from stanch.responder.services.reconcile import Reconciler
from stanch.responder.store.sql import SqlStore
from stanch.responder.worker.broker import BrokerError
from stanch.responder.worker.keeper import Post, _keep
from stanch.responder.worker.stand_in import StandIn
from stanch.scanner import __version__
from tests.responder.conftest import Room

Until = Callable[[Callable[[], bool], str], None]
PATIENCE = 5.0


@dataclass(slots=True)
class Here:
    """A room as a worker sees it; whether the broker answers is the test's."""

    room: Room
    silent: bool = False
    delivered: list[IncidentId] = field(default_factory=list)
    lanes: list[Errand | None] = field(default_factory=list)
    at: float = 0.0

    @property
    def store(self) -> SqlStore:
        return self.room.store

    @property
    def reconciler(self) -> Reconciler:
        return self.room.reconciler

    def advance(self, run: RunId, lane: Errand | None = None) -> timedelta | None:
        self.lanes.append(lane)
        return self.room.executor.advance(run, lane)

    def deliver(self, incident: IncidentId) -> None:
        self.delivered.append(incident)
        Delivery(store=self.store, cards=self.room.cards, notifiers=()).deliver(incident)

    def sweep(self) -> int:
        return self.room.reconciler.sweep()

    def reach_broker(self) -> None:
        if self.silent:
            raise BrokerError("it does not answer", remedy="start it")

    @contextmanager
    def heartbeats(self) -> Iterator[Any]:
        with self.store.transaction() as tx:
            yield tx.heartbeats

    def stand_in(self, lane: str = "all") -> StandIn:
        return StandIn(self, lane=lane, patience=PATIENCE, clock=lambda: self.at)


@pytest.fixture
def here(room: Any) -> Here:
    return Here(room)


def until_done(hands: StandIn, room: Any, run: RunId) -> None:
    end = time.monotonic() + 10
    while room.run(run).state is not RunState.DONE:
        assert time.monotonic() < end
        hands.look()
        time.sleep(0.01)


def test_without_a_broker_what_is_due_is_done_at_once(here: Here, room: Any) -> None:
    run = room.begin(room.line("a"), room.line("b", after=("a",)))
    here.silent = True
    with here.stand_in() as hands:
        assert hands.look() > 0
        until_done(hands, room, run)
        hands.look()
    assert room.lamps.acts() == ["a", "b"]
    assert here.delivered
    assert not hands.broker


def test_with_a_broker_only_what_stays_due_is_done(here: Here, room: Any) -> None:
    run = room.begin(room.line("a"))
    with here.stand_in() as hands:
        assert hands.look() == 0
        here.at = PATIENCE - 0.1
        assert hands.look() == 0
        here.at = PATIENCE
        assert hands.look() > 0  # poison in front of it, or nobody who rings
        until_done(hands, room, run)
    assert hands.broker


def test_what_others_are_busy_with_is_left_to_them(here: Here, room: Any) -> None:
    run = room.begin(room.line("a"), room.line("b"))
    with room.store.transaction() as tx:
        tx.runs.claim(run, "a", now=tx.now(), lease=timedelta(minutes=1))
    with here.stand_in() as hands:
        hands.look()
        here.at = 100 * PATIENCE
        assert hands.look() == 0
        here.silent = True  # then leases alone keep hands apart
        assert hands.look() > 0


@pytest.mark.parametrize(
    ("lane", "taken"), [("contain", {Errand.CONTAIN}), ("rest", {Errand.ADVANCE})]
)
def test_a_lane_is_stood_in_for_by_its_own(
    here: Here, room: Any, lane: str, taken: set[Errand]
) -> None:
    room.begin(room.line("a"))
    here.silent = True
    with here.stand_in(lane) as hands:
        hands.look()
    assert set(here.lanes) <= taken
    assert bool(here.delivered) is (lane == "rest")


def test_what_fails_is_taken_up_again(here: Here, room: Any, monkeypatch: Any) -> None:
    run = room.begin(room.line("a"))
    here.silent = True
    broken = [OSError("the network"), OSError("the network")]

    def advance(run: RunId, lane: Errand | None = None) -> timedelta | None:
        if broken:
            raise broken.pop()
        return room.executor.advance(run, lane)  # type: ignore[no-any-return]  # the room is Any

    monkeypatch.setattr(Here, "advance", staticmethod(advance))
    with here.stand_in() as hands:
        until_done(hands, room, run)


def test_signs_of_life_are_kept_for_a_day(room: Any) -> None:
    def sign(name: str, at: datetime) -> Heartbeat:
        return Heartbeat(name=name, lane="all", version="1", broker=True, started_at=at, seen_at=at)

    now = room.clock.now
    with room.store.transaction() as tx:
        for each in (sign("a", now), sign("b", now), sign("b", now + timedelta(seconds=9))):
            tx.heartbeats.beat(each)
        assert tx.heartbeats.list() == (sign("a", now), sign("b", now + timedelta(seconds=9)))
        tx.heartbeats.forget(now + timedelta(seconds=1))
        assert [each.name for each in tx.heartbeats.list()] == ["b"]
        tx.heartbeats.leave("b")
        assert tx.heartbeats.list() == ()


def test_what_keeps_ends_when_its_worker_is_gone(here: Here, room: Any) -> None:
    here.silent = True
    run = room.begin(room.line("a"))
    post = Post(
        opening=lambda: nullcontext(here),
        hands=lambda house: StandIn(house, lane="all", patience=PATIENCE),
        lane="all",
        version="1",
        sweep_seconds=0.01,
    )
    before = signal.getsignal(signal.SIGINT)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    try:
        _keep(post, "gone", parent=0)  # comes back: nobody has this process as a child
    finally:
        signal.signal(signal.SIGINT, before)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    assert room.run(run).state is RunState.DONE  # what was begun is finished first
    assert signs(here) == ()


# -- real processes ------------------------------------------------------------------------------


@pytest.fixture
def alone(team: Any) -> Any:
    """The team, with a broker's address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    team.environment["STANCH_BROKER_URL"] = f"redis://127.0.0.1:{port}/0"
    return team


def signs(house: Any) -> tuple[Heartbeat, ...]:
    with house.store.snapshot() as tx:
        found: tuple[Heartbeat, ...] = tx.heartbeats.list()
    return found


def test_a_worker_without_a_broker_works_and_says_so(
    alone: Any, house: House, opened: Any, waiting: Any, until: Until
) -> None:
    worker = alone.start("worker", "--concurrency", "1")
    opened()
    until(lambda: waiting() == 0, "the card's delivery")
    assert "broker.silent" in alone.said()
    until(lambda: bool(signs(house)), "a sign of life")
    (sign,) = signs(house)
    assert (sign.lane, sign.version, sign.broker) == ("all", __version__, False)
    assert sign.name.endswith(f"/{worker.pid}")
    assert "Traceback" not in alone.said()

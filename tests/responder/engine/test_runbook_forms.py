"""`within`, `when`, `each`, `wait`, `timeout`: what a runbook may say besides the order."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

from stanch.responder.domain.error import StepFailed, StoreError
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.step import GoOn, NotYet, Verified
from stanch.responder.engine.lease import Leases
from stanch.responder.engine.pin import pin, pinned, replay

SECOND = timedelta(seconds=1)


def step(room: Any, name: str, uses: str = "lamp.light", **more: Any) -> Any:
    forms = {k: more.pop(k) for k in ("within", "when", "each", "wait", "timeout") if k in more}
    return replace(room.line(name, uses, **more), **forms)


def test_evidence_that_is_late_is_not_waited_for(room: Any) -> None:
    slow = NotYet(why="slow", after=timedelta(minutes=1))
    room.lamps.then("look", "probe", slow)
    run = room.begin(
        step(room, "probe", "lamp.look"), step(room, "a", within={"probe": 3 * SECOND})
    )
    assert room.advance(run) == 3 * SECOND
    assert room.lamps.lit == set()
    room.clock.move(3 * SECOND)
    room.advance(run)
    assert room.lamps.lit == {"a"}


def test_evidence_that_failed_holds_nothing_up(room: Any) -> None:
    room.lamps.then("look", "probe", StepFailed("no", remedy="x"))
    run = room.begin(
        step(room, "probe", "lamp.look"), step(room, "a", within={"probe": 30 * SECOND})
    )
    room.advance(run)
    assert room.lamps.lit == {"a"}


def test_a_step_whose_condition_does_not_hold_is_left_out_and_the_rest_goes_on(room: Any) -> None:
    room.lamps.then("look", "a", Verified(evidence={}, outputs={"seen": ""}))
    run = room.begin(
        step(room, "a", "lamp.look"),
        step(room, "b", after=("a",), when="${a.seen}"),
        step(room, "c", after=("b",), when="not ${a.seen}"),
    )
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.lit == {"c"}
    assert room.steps(run)["b"].state is StepState.OMITTED
    assert room.recorded("step.omitted") == [("step.omitted", "b")]


def test_a_step_is_repeated_for_each_element_and_goes_on_when_all_are_done(room: Any) -> None:
    room.lamps.then("look", "a", Verified(evidence={}, outputs={"seen": ["eu", "us"]}))
    room.lamps.then("act", "us", StepFailed("no", remedy="x"))
    run = room.begin(
        step(room, "a", "lamp.look"),
        step(room, "b", after=("a",), each="${a.seen}", lamp="${item.value}"),
        step(room, "c", after=("b",)),
    )
    assert room.settle(run).state is RunState.FAILED
    assert room.lamps.lit == {"eu"}
    room.responses.respond(room.run(run).incident, by=_alice())
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.lit == {"eu", "us", "c"}
    assert room.steps(run)["b"].outputs["count"] == 2


def _alice() -> Any:
    from tests.responder.conftest import ALICE  # noqa: PLC0415  # one name

    return ALICE


def test_a_step_begins_only_when_its_wait_is_over(room: Any) -> None:
    run = room.begin(step(room, "a"), step(room, "b", after=("a",), wait=timedelta(minutes=15)))
    assert room.advance(run) == timedelta(minutes=15)
    assert room.lamps.lit == {"a"}
    assert room.settle(run).state is RunState.DONE


def test_a_step_that_is_not_done_in_its_time_fails(room: Any) -> None:
    room.lamps.then("look", "a", *[NotYet(why="slow", after=40 * SECOND)] * 9)
    run = room.begin(step(room, "a", "lamp.look", timeout=timedelta(minutes=1)))
    assert room.settle(run).state is RunState.FAILED
    assert "not done within 0:01:00" in room.card(run).failure


def test_a_long_step_goes_on_where_it_was(room: Any) -> None:
    room.lamps.then("look", "a", GoOn(cursor={"page": 1}), GoOn(cursor={"page": 2}))
    run = room.begin(step(room, "a", "lamp.look"))
    room.executor.advance(run)
    assert room.steps(run)["a"].cursor == {"page": 1}
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.calls.count(("look", "a")) == 3


def test_a_step_from_which_no_worker_comes_back_fails_in_the_end(room: Any) -> None:
    def die(where: str, boundary: str) -> None:
        del where
        if boundary == "intended":
            raise SystemExit

    room.lamps.crash = die
    run = room.begin(step(room, "a"))
    for _ in range(30):
        try:
            room.advance(run)
        except SystemExit:
            room.clock.move(timedelta(minutes=1))
    assert room.run(run).state is RunState.FAILED
    assert "no worker came back" in room.card(run).failure


def test_a_runbook_reads_back_as_it_was_pinned(room: Any) -> None:
    run = room.begin(step(room, "a", wait=SECOND, within={}, approval="second"))
    book, found = room.books["acme"], room.run(run)
    assert pinned(found, {}) == book
    assert (found.pinned, found.digest) == pin(book)
    specs = {name: each.spec for name, each in room.planner.steps.items()}
    assert replay(book, specs) == ()
    assert "no step 'lamp.light'" in replay(book, {})[0]


def test_a_pinned_runbook_that_somebody_changed_fails_the_run(room: Any) -> None:
    run = room.begin(step(room, "a"))
    with room.store.transaction() as tx:
        found = tx.runs.get(run)
        tx.runs.save(replace(found, pinned=found.pinned.replace("lamp.light", "lamp.smash")))
    room.advance(run)
    assert room.run(run).state is RunState.FAILED
    assert "was changed after the run began" in room.card(run).failure


def test_a_heartbeat_outlives_a_store_that_is_away(room: Any) -> None:
    run = room.begin(room.line("a"))
    lease = timedelta(milliseconds=60)
    with room.store.transaction() as tx:
        mine = tx.runs.claim(run, "a", now=tx.now(), lease=lease)
    beaten = threading.Event()

    class Flaky:
        calls = 0

        def transaction(self) -> Any:
            self.calls += 1
            if self.calls == 1:
                raise StoreError("busy", remedy="repeat")
            beaten.set()
            return room.store.transaction()

    with Leases(Flaky(), lease) as leases:
        leases.hold(mine)
        assert beaten.wait(10)


def test_a_step_that_hangs_loses_its_lease(room: Any) -> None:
    run = room.begin(room.line("a"))
    lease = timedelta(milliseconds=60)
    with room.store.transaction() as tx:
        mine = tx.runs.claim(run, "a", now=tx.now(), lease=lease)
    with Leases(room.store, lease, patience=timedelta(0)) as leases:
        leases.hold(mine)
        for _ in range(1000):
            if leases._lost:
                break
            threading.Event().wait(0.01)
        assert leases._lost

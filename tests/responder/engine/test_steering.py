"""People stop, resume and take back runs at any moment; whoever works then does no more."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import Retryable, StoreError, UsageError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunKind, RunState, StepState
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.step import NotYet, Verified
from stanch.responder.engine.attempt import MAX_TRIES, SETTLE_LIMIT, WAKE
from tests.responder.conftest import ALICE, BOB

ONE = IncidentId(1)
SECOND = timedelta(seconds=1)
STOPS = ("undo", "pause", "cancel")
# Before the last word that precedes the act, whoever works is stopped; after it, the act is told.
BEFORE, AFTER = ("intended", "observed"), ("begun", "acted")


def at(room: Any, step: str, boundary: str, do: Any) -> list[Any]:
    """Once, when a worker passes this boundary, ``do`` it; returns what that gave."""
    given: list[Any] = []

    def crash(passed: str, where: str) -> None:
        if (passed, where) == (step, boundary) and not given:
            given.append(None)
            given[0] = do()

    room.lamps.crash = crash
    return given


def stop(room: Any, how: str) -> Any:
    return getattr(room.responses, how)(ONE, by=BOB)


def two(room: Any) -> Any:
    return room.begin(room.line("a"), room.line("b", after=("a",)))


@pytest.mark.parametrize("boundary", BEFORE)
@pytest.mark.parametrize("how", STOPS)
def test_a_step_that_has_not_begun_its_act_does_not_act_any_more(
    room: Any, how: str, boundary: str
) -> None:
    run = two(room)
    given = at(room, "b", boundary, lambda: stop(room, how))
    room.advance(run)
    assert given
    assert ("act", "b") not in room.lamps.calls
    assert room.steps(run)["b"].token > 1


@pytest.mark.parametrize("boundary", AFTER)
def test_an_undo_waits_for_the_act_under_way_and_takes_it_back_too(
    room: Any, boundary: str
) -> None:
    run = two(room)

    def undo() -> Any:
        back = stop(room, "undo")
        assert room.advance(back) is not None  # another worker comes at once, and finds it busy
        assert room.steps(back)["undo-b"].state is StepState.PENDING
        return back

    given = at(room, "b", boundary, undo)
    room.advance(run)
    assert room.run(run).state is RunState.ABORTED
    assert room.settle_undo(given[0]).state is RunState.DONE
    assert room.lamps.acts() == ["a", "b", "b", "a"]
    assert room.lamps.lit == set()
    assert room.recorded("step.acted")[:2] == [("step.acted", "a"), ("step.acted", "b")]


def test_an_undo_takes_back_what_a_dead_worker_may_have_done(room: Any) -> None:
    """Killed in the act: nobody says how it ended, so it counts as done."""
    run = two(room)

    def die() -> None:
        raise SystemExit

    at(room, "b", "acted", die)
    with pytest.raises(SystemExit):
        room.advance(run)
    room.lamps.crash = None
    assert room.lamps.lit == {"a", "b"}
    assert room.settle_undo(stop(room, "undo")).state is RunState.DONE
    assert room.lamps.lit == set()


def test_a_proof_that_comes_after_the_undo_says_nothing(room: Any) -> None:
    run = room.begin(
        room.line("a"), room.line("seen", "lamp.look", after=("a",)), contained_by="seen"
    )

    def look() -> Any:
        room.settle_undo(stop(room, "undo"))
        return Verified(evidence={}, outputs={"seen": "x"})

    room.lamps.then("look", "seen", look)
    room.advance(run)
    assert room.lamps.lit == set()
    assert room.incident(run).state is IncidentState.OPEN
    assert room.recorded("incident.contained") == []


def test_containment_is_taken_back_before_what_replaced_it(room: Any) -> None:
    """Who goes back to the old credential must find it working."""
    run = room.begin(
        room.line("disable"),
        room.line("deny", after=("disable",)),
        room.line("replace", after=("deny",), phase=Phase.REVOKE),
        room.line("promote", after=("replace",), phase=Phase.REVOKE),
    )
    room.settle(run)
    back = stop(room, "undo")
    assert list(room.steps(back)) == ["undo-deny", "undo-disable", "undo-promote", "undo-replace"]


@pytest.mark.parametrize("boundary", [*AFTER, "recorded"])
def test_nothing_is_undone_once_a_final_step_has_begun(room: Any, boundary: str) -> None:
    run = room.begin(room.line("a"), room.line("b", "lamp.smash", after=("a",)))
    refused: list[Any] = []

    def undo() -> None:
        with pytest.raises(UsageError, match="cannot be undone") as caught:
            stop(room, "undo")
        refused.append(caught)

    at(room, "b", boundary, undo)
    assert room.settle(run).state is RunState.DONE
    assert refused
    assert room.lamps.lit == {"a", "b"}


def test_nothing_is_undone_where_somebody_else_did_the_final_step(room: Any) -> None:
    room.lamps.lit.add("b")
    run = room.begin(room.line("a"), room.line("b", "lamp.smash", after=("a",)))
    room.settle(run)
    with pytest.raises(UsageError, match="cannot be undone"):
        stop(room, "undo")


def test_an_undo_takes_back_what_an_earlier_run_of_the_leak_did(room: Any) -> None:
    run = two(room)
    room.settle(run)
    again = room.responses.respond(ONE, by=ALICE)  # finds everything done
    room.settle(again)
    assert room.settle_undo(stop(room, "undo")).state is RunState.DONE
    assert room.lamps.lit == set()


def test_a_second_undo_and_a_response_during_one_start_nothing(room: Any) -> None:
    run = two(room)
    room.settle(run)
    back = stop(room, "undo")
    assert stop(room, "undo") == back
    with pytest.raises(UsageError, match="being undone") as caught:
        room.responses.respond(ONE, by=ALICE)
    assert "stanch cancel LK-1" in caught.value.remedy
    assert room.settle_undo(back).state is RunState.DONE
    with room.store.transaction() as tx:
        kinds = [r.kind for r in tx.runs.of(ONE)]
    assert kinds == [RunKind.RESPOND, RunKind.UNDO]


def test_the_store_refuses_a_second_run_that_is_not_over(room: Any) -> None:
    run = two(room)
    with room.store.transaction() as tx:
        found, rows = tx.runs.get(run), tx.runs.steps(run)
    other = type(found)(
        **{f: getattr(found, f) for f in found.__dataclass_fields__ if f != "id"}, id="second"
    )
    with pytest.raises(StoreError, match="contradicts"), room.store.transaction() as tx:
        tx.runs.add(other, rows[:0])


def test_a_paused_run_does_nothing_until_it_is_resumed(room: Any) -> None:
    run = two(room)
    at(room, "b", "observed", lambda: stop(room, "pause"))
    room.advance(run)
    room.clock.move(timedelta(hours=1))
    room.bell.rings.clear()
    room.reconciler.sweep()
    assert [r for r in room.bell.rings if r[1] == run] == []
    assert room.advance(run) is None
    assert room.run(run).state is RunState.PAUSED
    assert room.lamps.lit == {"a"}
    assert "paused" in room.card(run).summary.lower()
    stop(room, "resume")
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.acts() == ["a", "b"]
    with pytest.raises(UsageError, match="nothing is running"):
        stop(room, "pause")


@pytest.mark.parametrize("boundary", AFTER)
def test_an_act_under_way_when_its_run_is_paused_is_told_and_not_repeated(
    room: Any, boundary: str
) -> None:
    run = two(room)
    at(room, "b", boundary, lambda: stop(room, "pause"))
    room.advance(run)
    step = room.steps(run)["b"]
    assert (step.state, step.acted_at is None) == (StepState.PENDING, False)
    stop(room, "resume")
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.acts() == ["a", "b"]


def test_a_cancelled_run_leaves_the_world_as_it_is_and_can_be_taken_up(room: Any) -> None:
    run = room.begin(
        room.line("a"),
        room.line("b", "lamp.smash", after=("a",), approval="second"),
        room.line("c", after=("b",)),
    )
    room.settle(run)
    stop(room, "cancel")
    assert room.run(run).state is RunState.CANCELLED
    assert room.lamps.lit == {"a"}
    assert room.card(run).ask is None
    assert room.responses.respond(ONE, by=ALICE) == run
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    room.decide(run)
    assert room.settle(run).state is RunState.DONE


def test_an_undo_that_was_cancelled_halfway_can_be_taken_up_again(room: Any) -> None:
    room.settle(two(room))
    back = stop(room, "undo")
    at(room, "undo-b", "done", lambda: stop(room, "cancel"))
    assert room.settle_undo(back).state is RunState.CANCELLED
    assert room.lamps.lit == {"a"}
    assert stop(room, "undo") == back
    assert room.settle_undo(back).state is RunState.DONE
    assert room.lamps.lit == set()


def test_a_word_on_a_paused_run_is_kept_and_works_when_it_goes_on(room: Any) -> None:
    run = room.begin(room.line("b", "lamp.smash", approval="second"))
    room.settle(run)
    stop(room, "pause")
    room.decide(run)
    assert room.settle(run).state is RunState.PAUSED
    assert room.lamps.lit == set()
    stop(room, "resume")
    assert room.settle(run).state is RunState.DONE


def test_a_run_of_an_older_leak_proves_nothing_about_the_new_one(room: Any) -> None:
    match = room.match()
    room.write(
        room.line("a"),
        room.line("seen", "lamp.look", after=("a",)),
        room.line("late", "lamp.look", after=("seen",), phase=Phase.AUDIT),
        proven_dead_by="late",
        contained_by="seen",
    )
    number = room.take(match).incident
    run = room.responses.respond(number, by=ALICE)

    def seen_again() -> Any:
        with room.store.transaction() as tx:
            tx.incidents.save(tx.incidents.get(number).closed(tx.now()))
        room.take(match, root="elsewhere")

    room.lamps.then("look", "late", seen_again)
    room.settle(run)
    assert room.incident(run).state is IncidentState.OPEN
    assert room.run(run).state is RunState.ABORTED


def test_a_store_that_is_busy_for_a_moment_is_no_reason_to_give_up(room: Any) -> None:
    busy = StoreError("the store is busy", remedy="repeat")
    room.lamps.then("look", "a", busy, busy)
    run = room.begin(room.line("a", "lamp.look"))
    assert room.settle(run).state is RunState.DONE


def test_a_containment_that_nobody_answered_is_tried_again_by_itself(room: Any) -> None:
    room.lamps.then("look", "a", *[Retryable("no answer", after=2 * SECOND)] * MAX_TRIES)
    run = room.begin(room.line("a", "lamp.look"), contained_by="a")
    assert room.settle(run).state is RunState.FAILED
    assert room.card(run).failure  # a person is called all the same
    room.bell.rings.clear()
    room.reconciler.sweep()
    assert (Errand.CONTAIN, run) not in room.bell.rings
    room.clock.move(WAKE)
    room.reconciler.sweep()
    assert (Errand.CONTAIN, run) in room.bell.rings
    assert room.settle(run).state is RunState.DONE
    assert room.incident(run).state is IncidentState.CONTAINED


def test_what_settles_is_given_its_time_from_the_first_look_on(room: Any) -> None:
    """A worker that was away between the act and the proof has not seen the world refuse it."""
    run = room.begin(room.line("a"))

    def die() -> None:
        raise SystemExit

    at(room, "a", "recorded", die)
    with pytest.raises(SystemExit):
        room.advance(run)
    room.lamps.crash = None
    room.clock.move(SETTLE_LIMIT + timedelta(minutes=1))
    room.lamps.then("verify", "a", NotYet(why="IAM still shows it", after=SECOND))
    assert room.settle(run).state is RunState.DONE


def test_a_question_of_a_failed_run_expires_and_is_rung_for_no_more(room: Any) -> None:
    room.lamps.then("act", "a", *[RuntimeError("no")])
    run = room.begin(room.line("a"), room.line("b", "lamp.smash", approval="second"))
    assert room.settle(run).state is RunState.FAILED
    room.clock.move(timedelta(hours=10))
    room.reconciler.sweep()
    room.bell.rings.clear()
    room.reconciler.sweep()
    assert [r for r in room.bell.rings if r[1] == run] == []
    assert "approval.expired" in {action for action, _ in room.recorded()}


def test_an_incident_without_a_run_is_answered_by_the_sweep(room: Any) -> None:
    room.write(room.line("a"))
    number = room.take().incident  # and there the process was killed
    room.reconciler.sweep()
    with room.store.transaction() as tx:
        (run,) = tx.runs.of(number)
    assert room.settle(run.id).state is RunState.DONE
    room.reconciler.sweep()
    with room.store.transaction() as tx:
        assert len(tx.runs.of(number)) == 1

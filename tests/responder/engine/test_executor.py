"""Runs and their steps: order, waiting, failing, and what is left for a person."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import LedgerError, Retryable, StepFailed
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.step import BY, SOMEBODY, NotYet, Present, Refuted, Verified
from stanch.responder.engine.attempt import MAX_TRIES, SETTLE_LIMIT
from stanch.scanner.model.secret import SecretValue
from tests.responder.conftest import ALICE
from tests.responder.lamp import Look

SECOND = timedelta(seconds=1)


def test_steps_run_in_the_order_of_their_dependencies(room: Any) -> None:
    run = room.begin(
        room.line("last", after=("middle",)),
        room.line("middle", after=("first",)),
        room.line("first"),
    )
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.acts() == ["first", "middle", "last"]


def test_steps_that_do_not_depend_run_at_the_same_time(room: Any) -> None:
    together = threading.Barrier(3, timeout=10)
    names = ("a", "b", "c")
    for name in names:
        room.lamps.then("act", name, lambda: together.wait() and None)
    run = room.begin(*(room.line(name) for name in names))
    assert room.settle(run).state is RunState.DONE  # nobody waited in vain at the barrier


def test_a_step_goes_on_while_its_sibling_waits_for_the_world(room: Any) -> None:
    room.lamps.then("look", "slow", NotYet(why="not there", after=SECOND))
    run = room.begin(
        room.line("slow", "lamp.look"), room.line("quick"), room.line("next", after=("quick",))
    )
    assert room.advance(run) == SECOND
    assert room.lamps.acts() == ["quick", "next"]
    assert room.steps(run)["slow"].state is StepState.WAITING
    room.advance(run)
    assert room.steps(run)["slow"].state is StepState.WAITING  # its time has not come
    room.clock.move(SECOND)
    room.advance(run)
    assert room.run(run).state is RunState.DONE


def test_an_act_is_not_repeated_while_its_effect_is_awaited(room: Any) -> None:
    room.lamps.then("verify", "a", *[NotYet(why="settling", after=SECOND)] * 5)
    run = room.begin(room.line("a"))
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.acts() == ["a"]
    assert room.steps(run)["a"].error is None


def test_an_effect_that_never_shows_becomes_a_persons_matter(room: Any) -> None:
    room.lamps.then("verify", "a", *[NotYet(why="settling", after=SETTLE_LIMIT)] * 3)
    run = room.begin(room.line("a"))
    assert room.settle(run).state is RunState.FAILED
    step = room.steps(run)["a"]
    assert "not settled" in step.error
    assert "settling" in step.error
    assert step.remedy in room.card(run).failure


def test_throttling_is_met_with_longer_and_longer_pauses(room: Any) -> None:
    room.lamps.then("act", "a", *[Retryable("busy", after=SECOND)] * 4)
    run = room.begin(room.line("a"))
    pauses = []
    for _ in range(4):
        pause = room.advance(run)
        pauses.append(pause / SECOND)
        room.clock.move(pause)
    assert pauses == [1, 2, 4, 8]
    assert room.settle(run).state is RunState.DONE
    assert room.steps(run)["a"].tries == 0


def test_who_is_never_answered_gives_up_and_says_how_often_it_tried(room: Any) -> None:
    room.lamps.then("look", "a", *[Retryable("busy", after=SECOND)] * MAX_TRIES)
    run = room.begin(room.line("a", "lamp.look"))
    assert room.settle(run).state is RunState.FAILED
    assert str(MAX_TRIES) in room.steps(run)["a"].error
    assert len(room.lamps.calls) == MAX_TRIES


@pytest.mark.parametrize("moment", ["act", "verify"])
def test_an_effect_of_ours_stays_ours_when_the_attempt_is_interrupted(
    room: Any, moment: str
) -> None:
    if moment == "act":
        room.lamps.then("act", "a", lambda: room.lamps.lit.add("a") or Retryable("", after=SECOND))
    else:
        room.lamps.then("verify", "a", Retryable("busy", after=SECOND))
    run = room.begin(room.line("a"))
    assert room.settle(run).state is RunState.DONE
    step = room.steps(run)["a"]
    assert step.absent_at is not None
    assert step.before == {"lamp": "a"}
    told = "step.seen" if moment == "act" else "step.acted"
    assert room.recorded(told) == [(told, "a")]
    assert room.recorded("step.found") == []
    assert room.lamps.acts() == ["a"]


def test_a_step_that_fails_after_its_act_can_still_be_undone(room: Any) -> None:
    room.lamps.then("verify", "a", StepFailed("the lamp fell", remedy="pick it up"))
    run = room.begin(room.line("a"))
    assert room.settle(run).state is RunState.FAILED
    room.settle_undo(room.responses.undo(room.run(run).incident, by=ALICE))
    assert room.lamps.lit == set()


def test_what_a_fresh_look_refutes_fails_with_its_remedy_on_the_card(room: Any) -> None:
    room.lamps.then("verify", "a", Refuted(why="it is dark", remedy="change the bulb"))
    run = room.begin(room.line("a"), room.line("b", after=("a",)))
    assert room.settle(run).state is RunState.FAILED
    assert room.card(run).failure == "it is dark → change the bulb"
    assert room.steps(run)["b"].state is StepState.PENDING
    assert ("step.failed", "a") in room.recorded()


def test_a_defect_in_a_step_fails_it_without_telling_its_words(room: Any) -> None:
    room.lamps.then("act", "a", ZeroDivisionError("a value that must stay here"))
    run = room.begin(room.line("a"))
    assert room.settle(run).state is RunState.FAILED
    failure = room.card(run).failure
    assert "crashed with ZeroDivisionError" in failure
    assert "must stay here" not in failure


def test_a_record_that_cannot_be_written_stops_the_work(room: Any) -> None:
    room.lamps.then("observe", "a", LedgerError("disk full", remedy="make room"))
    run = room.begin(room.line("a"))
    with pytest.raises(LedgerError):
        room.advance(run)
    assert room.lamps.acts() == []


def test_a_failed_step_does_not_stop_what_does_not_depend_on_it(room: Any) -> None:
    room.lamps.then("act", "a", StepFailed("no", remedy="try"))
    run = room.begin(room.line("a"), room.line("b"), room.line("c", after=("b",)))
    assert room.settle(run).state is RunState.FAILED
    assert room.lamps.lit == {"b", "c"}


def test_what_was_done_before_we_came_is_found_and_not_ours(room: Any) -> None:
    room.lamps.lit.add("a")
    run = room.begin(room.line("a"))
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.acts() == []
    step = room.steps(run)["a"]
    assert step.absent_at is None
    assert step.evidence["already"] is True
    assert room.recorded("step.found") == [("step.found", "a")]


def test_parameters_come_from_what_earlier_steps_found(room: Any) -> None:
    room.lamps.then("look", "a", Verified(evidence={}, outputs={"seen": "violet"}))
    run = room.begin(
        room.line("a", "lamp.look"), room.line("b", after=("a",), colour="dark ${a.seen}")
    )
    assert room.settle(run).state is RunState.DONE
    assert room.steps(run)["b"].params == {"lamp": "b", "colour": "dark violet"}


def test_a_reference_to_what_a_step_did_not_give_fails_the_run_with_a_remedy(room: Any) -> None:
    room.lamps.then("look", "a", Verified(evidence={}))
    run = room.begin(room.line("a", "lamp.look"), room.line("b", after=("a",), lamp="${a.seen}"))
    assert room.settle(run).state is RunState.FAILED
    assert "'b' refers to" in room.card(run).failure
    assert room.reconciler.sweep() == 1  # the card; nobody rings for the run any more


def test_a_run_of_an_older_version_whose_runbook_is_gone_fails_and_says_so(room: Any) -> None:
    run = room.begin(room.line("a"))
    with room.store.transaction() as tx:
        tx.runs.save(replace(tx.runs.get(run), pinned="", digest=""))
    room.books.clear()
    room.advance(run)
    assert room.run(run).state is RunState.FAILED
    assert "'acme' v1, which is not installed" in room.card(run).failure


def test_old_and_unknown_messages_are_left_alone(room: Any) -> None:
    run = room.begin(room.line("a"))
    room.settle(run)
    before = room.recorded()
    assert room.advance(run) is None
    assert room.advance(RunId("0" * 26)) is None
    assert room.recorded() == before


def test_the_clocks_of_the_incident_stop_when_they_should(room: Any) -> None:
    run = room.begin(
        room.line("a"),
        room.line("b", after=("a",)),
        room.line("seen", "lamp.look", after=("b",)),
        room.line("dead", "lamp.look", after=("seen",), phase=Phase.AUDIT),
        contained_by="seen",
        proven_dead_by="dead",
    )
    begun = room.clock.now
    room.lamps.then("act", "b", lambda: room.clock.move(SECOND))
    room.lamps.then("look", "seen", lambda: room.clock.move(2 * SECOND))
    room.lamps.then("look", "dead", lambda: room.clock.move(4 * SECOND))
    room.settle(run)
    incident = room.incident(run)
    assert incident.containment_requested_at == begun + SECOND
    assert incident.containment_verified_at == begun + 3 * SECOND
    assert incident.proven_dead_at == begun + 7 * SECOND
    assert incident.state is IncidentState.PROVEN_DEAD


def test_people_are_told_after_every_step(room: Any) -> None:
    run = room.begin(room.line("a"))
    room.settle(run)
    number = str(room.run(run).incident)
    assert (Errand.NOTIFY, number) in room.bell.rings
    with room.store.transaction() as tx:
        assert [m.subject for m in tx.outbox.waiting(tx.now(), Errand.NOTIFY)] == [number]


def test_a_step_taken_from_a_silent_worker_is_not_written_by_it(room: Any) -> None:
    """The first worker loses its lease between its act and its word about it."""
    second: list[object] = []

    def overtake(step: str, boundary: str) -> None:
        if boundary == "acted" and not second:
            second.append(step)
            room.clock.move(timedelta(minutes=5))
            room.advance(run)

    room.lamps.crash = overtake
    run = room.begin(room.line("a"))
    room.advance(run)
    assert room.run(run).state is RunState.DONE
    assert room.lamps.acts() == ["a"]
    assert room.recorded("step.verified") == [("step.verified", "a")]
    assert room.recorded("step.seen") == [("step.seen", "a")]  # who took over saw it, no more


def test_a_worker_that_lost_its_lease_before_the_act_does_not_act(room: Any) -> None:
    overtaken: list[str] = []

    def overtake(step: str, boundary: str) -> None:
        if boundary == "observed" and not overtaken:
            overtaken.append(step)
            room.clock.move(timedelta(minutes=5))
            room.advance(run)

    room.lamps.crash = overtake
    run = room.begin(room.line("a"))
    room.advance(run)
    assert room.lamps.acts() == ["a"]
    assert room.run(run).state is RunState.DONE


def test_an_answer_lost_in_a_crash_is_recorded_as_seen_later(room: Any) -> None:
    room.lamps.then("act", "a", lambda: room.lamps.lit.add("a") or Retryable("", after=SECOND))
    room.lamps.then("observe", "a", None, Present(evidence={"lit": "a"}))
    run = room.begin(room.line("a"))
    room.settle(run)
    assert room.steps(run)["a"].evidence["answer"] == "lost, seen later"
    assert room.steps(run)["a"].evidence[BY] == SOMEBODY
    assert room.recorded("step.seen") == [("step.seen", "a")]
    assert room.recorded("step.acted") == []


@pytest.mark.parametrize("said", ["step.acted", "step.found"])
def test_an_effect_that_bears_a_mark_is_its_makers(room: Any, said: str) -> None:
    ours = said == "step.acted"
    room.lamps.then("act", "a", lambda: room.lamps.lit.add("a") or Retryable("", after=SECOND))
    room.lamps.then("observe", "a", None, Present(evidence={"lit": "a"}, ours=ours))
    run = room.begin(room.line("a"))
    room.settle(run)
    assert room.recorded(said) == [(said, "a")]
    assert (room.steps(run)["a"].absent_at is not None) is ours  # what undo goes by


def test_what_a_step_declares_to_open_is_on_record_with_its_intent(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One transaction, whoever opens; and nothing is said of what is not sealed."""
    opened = replace(Look.spec, name="lamp.open", opens=("probe", "absent"))
    looking = type("Open", (Look,), {"spec": opened})(room.lamps)
    monkeypatch.setitem(room.planner.steps, "lamp.open", looking)
    run = room.begin(room.line("a", "lamp.look"), room.line("b", "lamp.open", after=("a",)))
    replace(room.executor, turn=1).advance(run)
    sealed = room.vault.seal(
        incident=1, name="probe", parts={"token": SecretValue(b"x" * 20)}, run=run
    )
    with room.store.transaction() as tx:
        ref = sealed.keep(tx)
    room.settle(run)
    with room.store.snapshot() as tx:
        said = [e.event for e in tx.ledger.entries() if e.event.action == "secret.opened"]
    assert [(e.detail["ref"], e.detail["part"]) for e in said] == [(ref, "token")]
    assert room.steps(run)["b"].opened == (ref,)

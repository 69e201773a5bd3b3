"""Taking back what we did, in reverse, and nothing else."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import Retryable, StepFailed, UsageError
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import RunKind, RunState
from tests.responder.conftest import ALICE


def undo(room: Any, run: Any) -> Any:
    return room.responses.undo(room.run(run).incident, by=ALICE)


def test_steps_are_taken_back_in_reverse_order(room: Any) -> None:
    run = room.begin(room.line("a"), room.line("b", after=("a",)), room.line("c", after=("b",)))
    room.settle(run)
    back = undo(room, run)
    done = room.settle_undo(back)
    assert (done.kind, done.state) == (RunKind.UNDO, RunState.DONE)
    assert room.lamps.acts() == ["a", "b", "c", "c", "b", "a"]
    assert room.lamps.lit == set()
    assert list(room.steps(back)) == ["undo-c", "undo-b", "undo-a"]


def test_what_was_there_before_us_is_left_alone(room: Any) -> None:
    room.lamps.lit.add("a")
    run = room.begin(room.line("a"), room.line("b", after=("a",)))
    room.settle(run)
    room.settle_undo(undo(room, run))
    assert room.lamps.lit == {"a"}


def _light(room: Any, error: Exception) -> Exception:
    """Somebody else lights the lamp while our act meets the error."""
    room.lamps.lit.add("a")
    return error


def test_what_another_did_after_our_act_was_refused_is_left_alone(room: Any) -> None:
    busy = Retryable("throttled", after=timedelta(seconds=1), refused=True)
    room.lamps.then("act", "a", lambda: _light(room, busy))
    run = room.begin(room.line("a"), room.line("b", after=("a",)))
    room.settle(run)
    room.settle_undo(undo(room, run))
    assert room.lamps.lit == {"a"}


def test_an_answer_lost_before_a_refusal_may_still_be_ours(room: Any) -> None:
    pause = timedelta(seconds=1)
    room.lamps.then("act", "a", Retryable("cut off", after=pause))
    room.lamps.then(
        "act", "a", lambda: _light(room, Retryable("throttled", after=pause, refused=True))
    )
    run = room.begin(room.line("a"))
    room.settle(run)
    room.settle_undo(undo(room, run))
    assert room.lamps.lit == set()


def test_after_a_final_step_nothing_is_taken_back(room: Any) -> None:
    run = room.begin(room.line("a"), room.line("b", "lamp.smash", after=("a",)))
    room.settle(run)
    with pytest.raises(UsageError, match="cannot be undone"):
        undo(room, run)
    assert room.lamps.lit == {"a", "b"}


def test_a_run_that_changed_nothing_has_nothing_to_undo(room: Any) -> None:
    run = room.begin(room.line("a", "lamp.look"))
    room.settle(run)
    with pytest.raises(UsageError, match="nothing was changed"):
        undo(room, run)


def test_an_incident_without_a_run_has_nothing_to_undo(room: Any) -> None:
    with pytest.raises(UsageError, match="no run"):
        room.responses.undo(room.take().incident, by=ALICE)
    with pytest.raises(UsageError, match="no incident LK-99"):
        room.responses.undo(99, by=ALICE)


def test_undo_ends_a_run_that_still_waits(room: Any) -> None:
    run = room.begin(room.line("a"), room.line("b", "lamp.smash", after=("a",), approval="second"))
    room.settle(run)
    room.settle_undo(undo(room, run))
    assert room.run(run).state is RunState.ABORTED
    assert room.lamps.lit == set()
    assert room.card(run).ask is None


def test_the_incident_is_open_again_and_the_card_says_live(room: Any) -> None:
    run = room.begin(
        room.line("a"), room.line("seen", "lamp.look", after=("a",)), contained_by="seen"
    )
    room.settle(run)
    assert room.incident(run).state is IncidentState.CONTAINED
    room.settle_undo(undo(room, run))
    incident = room.incident(run)
    assert incident.state is IncidentState.OPEN
    assert incident.containment_requested_at is None
    assert incident.containment_verified_at is None
    assert room.card(run).headline.startswith("LIVE AGAIN")


def test_a_reversal_that_fails_stops_there_and_says_why(room: Any) -> None:
    run = room.begin(room.line("a"), room.line("b", after=("a",)))
    room.settle(run)
    room.lamps.then("undo", "b", StepFailed("somebody changed b", remedy="look at b"))
    assert room.settle_undo(undo(room, run)).state is RunState.FAILED
    assert room.lamps.lit == {"a", "b"}
    assert room.card(run).failure == "somebody changed b → look at b"


def test_an_undo_is_not_repeated_by_undoing_again(room: Any) -> None:
    run = room.begin(room.line("a"))
    room.settle(run)
    room.settle_undo(undo(room, run))
    with pytest.raises(UsageError, match="nothing was changed"):
        undo(room, run)
    assert room.lamps.acts() == ["a", "a"]


def test_responding_after_an_undo_starts_a_new_run(room: Any) -> None:
    run = room.begin(room.line("a"))
    room.settle(run)
    room.settle_undo(undo(room, run))
    again = room.responses.respond(room.run(run).incident, by=ALICE)
    assert again != run
    assert room.settle(again).state is RunState.DONE
    assert room.lamps.lit == {"a"}

"""How far one message brings a run."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.runbook import Phase
from stanch.responder.engine.dispatch import Dispatch

AT_ONCE = timedelta(0)


def test_one_message_brings_on_what_follows_on_a_step(room: Any) -> None:
    run = room.begin(room.line("a"), room.line("b", after=("a",)), room.line("c", after=("b",)))
    assert room.executor.advance(run) is None
    assert room.lamps.acts() == ["a", "b", "c"]
    assert room.run(run).state is RunState.DONE


def test_after_so_many_steps_it_is_another_runs_turn(room: Any) -> None:
    run = room.begin(room.line("a"), room.line("b", after=("a",)), room.line("c", after=("b",)))
    executor = replace(room.executor, turn=2)
    assert executor.advance(run) == AT_ONCE
    assert room.lamps.acts() == ["a", "b"]
    executor.advance(run)
    assert room.run(run).state is RunState.DONE


def test_a_step_does_not_wait_for_one_beside_what_it_follows_on(room: Any) -> None:
    through, waited = threading.Event(), []
    room.lamps.then("act", "slow", lambda: waited.append(through.wait(10)))
    room.lamps.then("act", "next", through.set)
    run = room.begin(room.line("slow"), room.line("quick"), room.line("next", after=("quick",)))
    room.executor.advance(run)
    assert waited == [True]
    assert room.run(run).state is RunState.DONE


def test_what_is_no_containment_stops_after_a_step_while_something_is_contained(room: Any) -> None:
    run = room.begin(
        room.line("a", phase=Phase.AUDIT), room.line("b", phase=Phase.AUDIT, after=("a",))
    )
    executor = replace(room.executor, gives_way=lambda: True)
    assert executor.advance(run, Errand.ADVANCE) == AT_ONCE
    assert room.lamps.acts() == ["a"]


def test_what_cannot_follow_leaves_the_step_before_it_done(
    room: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = room.begin(room.line("a"), room.line("b", after=("a",)))
    jobs = Dispatch.jobs

    def failing(self: Dispatch, tx: Any, of: Any, lane: Any, **limits: Any) -> Any:
        if any(step.state is StepState.DONE for step in tx.runs.steps(of.id)):
            raise RunbookError("no such output", remedy="mend the runbook")
        return jobs(self, tx, of, lane, **limits)

    monkeypatch.setattr(Dispatch, "jobs", failing)
    assert room.executor.advance(run) == AT_ONCE
    assert room.steps(run)["a"].state is StepState.DONE
    room.executor.advance(run)
    assert room.steps(run)["b"].error == "no such output"
    assert room.lamps.acts() == ["a"]

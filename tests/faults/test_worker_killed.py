"""kill -9 of the worker at every boundary of every step of the runbook for a leaked AWS key."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

from stanch.responder.domain.caller import Caller
from stanch.responder.domain.run import RunState
from stanch.responder.domain.step import Effect
from stanch.responder.engine.loader import load_runbooks
from stanch.responder.providers.registry import SPECS

RUNBOOK = "aws-access-key"
LOOKUP = ("intended", "done")
CHANGE = (
    "intended", "observed", "begun", "acted", "recorded", "verified", "done",
)  # fmt: skip
FOUND = ("intended", "observed", "verified", "done")
# What has nothing to do in this story: no session was late, and there was room for a second key.
IDLE = {"late-sessions", "replace-late", "write-late", "promote-late"}
# What an undo of the story up to its question takes back.
UNDONE = (
    "disable-key", "deny-sessions", "role-sessions",
    "replace-key", "write-secret", "promote-secret",
)  # fmt: skip
MADE_ANEW = frozenset({"iam:CreateAccessKey", "iam:DeleteAccessKey"})


def _pairs() -> Iterator[tuple[str, str]]:
    """Derived from the runbook; the first test holds them against what a clean run passes."""
    for step in load_runbooks(resources.files("stanch.runbooks"), SPECS)[RUNBOOK].steps:
        if step.each is not None:
            continue  # this leak has no copies elsewhere: the runbook leaves such a step out
        reads = SPECS[step.uses].effect is Effect.READ
        passed = LOOKUP if reads else FOUND if step.id in IDLE else CHANGE
        yield from ((step.id, boundary) for boundary in passed)


# Two groups, so that two test processes share the work, each with a lab of its own. One life of an
# incident for each boundary: a worker dies there in every step that has it, one after another.
_BOUNDARIES = [
    pytest.param(boundary, marks=pytest.mark.xdist_group(f"killed-{number % 2}"))
    for number, boundary in enumerate(CHANGE)
]


@pytest.mark.xdist_group("killed-0")
def test_a_run_passes_exactly_the_boundaries_at_which_workers_are_killed(case: Any) -> None:
    assert case.finish() == 0
    assert sorted(case.boundaries) == sorted(_pairs())
    case.assert_proven()


@pytest.mark.parametrize("boundary", _BOUNDARIES)
def test_a_worker_killed_at_this_boundary_of_any_step_leaves_nothing_lost_and_nothing_done_twice(
    case: Any, boundary: str
) -> None:
    pairs = [pair for pair in _pairs() if pair[1] == boundary]
    assert case.finish(*pairs) == len(pairs)
    # A key that is being made beside a killed step is lost with its answer, and made anew.
    case.assert_proven(repeatable=MADE_ANEW)


@pytest.mark.parametrize("boundary", _BOUNDARIES)
def test_an_undo_whose_workers_are_killed_at_this_boundary_of_any_step_gives_everything_back(
    case: Any, boundary: str
) -> None:
    case.finish(asked=True)
    case.undo()
    pairs = [(step, boundary) for step in case.steps]
    assert len(pairs) == len(UNDONE)
    assert case.finish(*pairs) == len(pairs)
    case.assert_given_back()


@pytest.mark.parametrize("boundary", _BOUNDARIES)
def test_a_worker_killed_while_its_run_is_paused_or_cancelled_holds_nothing_up(
    case: Any, boundary: str
) -> None:
    responses, alice = case.house.responses, Caller(name="alice", door="cli")
    case.killed(("deny-sessions", boundary), lambda: responses.pause(case.incident, by=alice))
    states = [case.state]
    responses.resume(case.incident, by=alice)
    case.killed(("replace-key", boundary), lambda: responses.cancel(case.incident, by=alice))
    assert [*states, case.state] == [RunState.PAUSED, RunState.CANCELLED]
    case.undo()
    assert case.finish() == 0
    case.assert_given_back()

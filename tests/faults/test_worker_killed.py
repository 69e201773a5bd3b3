"""kill -9 of the worker at every boundary of every step of the runbook for a leaked AWS key."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from typing import Any

import pytest

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
MADE_ANEW = frozenset({"iam:CreateAccessKey", "iam:DeleteAccessKey"})


def _pairs() -> Iterator[tuple[str, str]]:
    """Derived from the runbook; the first test holds them against what a clean run passes."""
    for step in load_runbooks(resources.files("stanch.runbooks"), SPECS)[RUNBOOK].steps:
        reads = SPECS[step.uses].effect is Effect.READ
        passed = LOOKUP if reads else FOUND if step.id in IDLE else CHANGE
        yield from ((step.id, boundary) for boundary in passed)


# Two groups, so that two test processes share the work, each with a lab of its own.
_EVERYWHERE = [
    pytest.param(pair, id="-".join(pair), marks=pytest.mark.xdist_group(f"killed-{number % 2}"))
    for number, pair in enumerate(_pairs())
]


@pytest.mark.xdist_group("killed-0")
def test_a_run_passes_exactly_the_boundaries_at_which_workers_are_killed(case: Any) -> None:
    assert case.finish() == 0
    assert sorted(case.boundaries) == sorted(_pairs())
    case.assert_proven()


@pytest.mark.parametrize("pair", _EVERYWHERE)
def test_a_worker_killed_at_any_boundary_leaves_nothing_lost_and_nothing_done_twice(
    case: Any, pair: tuple[str, str]
) -> None:
    assert case.finish(pair) == 1
    # A key that is being made beside the killed step is lost with its answer, and made anew.
    beside = pair[0] in {"activity", "role-sessions", "standing", "trail", "late-sessions"}
    case.assert_proven(repeatable=MADE_ANEW if beside else None)

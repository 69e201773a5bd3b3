"""A few hundred histories; `make simulate ARGS="--histories 10000"` plays more of them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.engine import dispatch, progress
from stanch.responder.engine.question import Questions
from tests.simulation.history import play

EVENTS = 60
BATCH = 60
# What each of these mends is found by this many histories; a simulation that finds nothing is none.
# The search begins at a seed that found it lately, and goes on from there when the engine changed.
ENOUGH = 260


@pytest.mark.parametrize("batch", range(4))
def test_no_history_breaks_an_invariant(batch: int) -> None:
    for seed in range(batch * BATCH, (batch + 1) * BATCH):
        broken = play(seed, EVENTS)
        assert broken is None, broken


def test_a_history_is_the_same_each_time() -> None:
    from tests.simulation.history import History  # noqa: PLC0415  # only here the parts are seen

    def events() -> list[str]:
        history = History(7)
        for _ in range(EVENTS):
            history.event()
        return history.events

    assert events() == events()


@pytest.mark.parametrize(
    ("module", "name", "broken", "first"),
    [
        pytest.param(
            progress.Progress, "_lifted", lambda *_: None, 70, id="undone and still contained"
        ),
        pytest.param(dispatch, "SETTLED", timedelta(0), 300, id="an undo looks too soon"),
        pytest.param(dispatch.Dispatch, "_beyond", lambda *_: False, 0, id="no blast limit"),
        pytest.param(Questions, "may_go", lambda *_: True, 0, id="nobody is asked"),
    ],
)
def test_the_simulation_finds_what_is_taken_out_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, broken: Any, first: int
) -> None:
    monkeypatch.setattr(module, name, broken)
    assert any(play(seed, EVENTS) for seed in range(first, first + ENOUGH))

"""A few hundred histories; `make simulate ARGS="--histories 10000"` plays more of them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stanch.responder.engine import dispatch, progress
from stanch.responder.services import response
from tests.simulation.history import play

EVENTS = 60
BATCH = 60
# What each of these mends is found by this many histories; a simulation that finds nothing is none.
ENOUGH = 120


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


def _unfenced(tx: Any, run: Any, state: Any, **_: Any) -> Any:
    """As it was: the run is over, and whoever works on it goes on."""
    stopped = replace(run, state=state, finished_at=tx.now() if state.over else None)
    tx.runs.save(stopped)
    return stopped


@pytest.mark.parametrize(
    ("module", "name", "broken"),
    [
        pytest.param(response, "stop", _unfenced, id="a run is stopped without a fence"),
        pytest.param(
            progress, "_stopped", lambda *_: None, id="nobody looks whether it was stopped"
        ),
        pytest.param(
            dispatch, "in_the_way", lambda *_: False, id="an undo does not wait for an act"
        ),
    ],
)
def test_the_simulation_finds_what_is_taken_out_of_the_engine(
    monkeypatch: pytest.MonkeyPatch, module: Any, name: str, broken: Any
) -> None:
    monkeypatch.setattr(module, name, broken)
    assert any(play(seed, EVENTS) for seed in range(ENOUGH))

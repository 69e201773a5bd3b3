"""What a provider allows an account is shared by every run that asks it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.ids import RunId
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.step import Pace, Verified
from tests.responder.lamp import Look

EVERY = timedelta(seconds=2)


@pytest.fixture
def paced(room: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A room where a look at the trail may begin every two seconds in each account."""
    trail = replace(Look.spec, name="lamp.trail", pace=Pace(name="trail", every=EVERY))
    monkeypatch.setitem(
        room.planner.steps, "lamp.trail", type("Trail", (Look,), {"spec": trail})(room.lamps)
    )
    return room


def begun(room: Any, account: str) -> RunId:
    room.lamps.then(
        "look", "owner", Verified(evidence={}, outputs={"seen": "owner", "account": account})
    )
    owner = room.line("owner", "lamp.look")
    run: RunId = room.begin(owner, room.line("trail", "lamp.trail", after=("owner",)))
    return run


def test_runs_of_one_account_take_turns_and_others_do_not_wait_for_them(paced: Any) -> None:
    first, second, third = (begun(paced, "111") for _ in range(3))
    other = begun(paced, "222")
    assert paced.advance(first) is None
    assert paced.advance(second) == EVERY
    assert paced.advance(third) == 2 * EVERY
    assert paced.advance(other) is None
    assert paced.run(first).state is paced.run(other).state is RunState.DONE
    assert paced.steps(second)["trail"].state is StepState.WAITING
    paced.clock.move(EVERY)
    assert paced.advance(second) is None  # its turn is its own: it does not queue up again
    assert paced.advance(third) == EVERY
    paced.clock.move(EVERY)
    assert paced.advance(third) is None
    assert paced.run(third).state is RunState.DONE

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from stanch.responder.domain.check import State
from stanch.responder.domain.clock import skew

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKED = (NOW, NOW + timedelta(seconds=2))


@pytest.mark.parametrize(
    ("seconds", "step", "said"),
    [
        (0, 0, "agrees"),
        (7, 0, "agrees"),  # it may have been read at the end of the two seconds
        (8, 0, "6 s ahead of"),
        (-5, 0, "agrees"),
        (-6, 0, "6 s behind"),
        (-6, 1, "agrees"),  # a clock that is told in whole seconds
        (-600, 0, "10 min behind"),
    ],
)
def test_a_clock_is_off_by_what_cannot_be_the_time_of_the_look(
    seconds: int, step: int, said: str
) -> None:
    theirs = NOW + timedelta(seconds=seconds)
    check = skew("store", "its clock", theirs, ASKED, timedelta(seconds=step))
    assert said in check.what
    assert (check.state is State.GOOD) == (said == "agrees")
    assert bool(check.remedy) == (said != "agrees")

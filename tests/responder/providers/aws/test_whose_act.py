"""A lost answer, a person's same act: nobody says "we" without proof, undo takes back ours."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.step import BY, SOMEBODY, Absent, Present

Bench = Any  # conftest.py cannot be imported by name
DISABLE = "aws.iam.disable_access_key"


def lose(bench: Bench, mode: str) -> None:
    """Our call is begun, and no answer comes."""
    bench.aws.arn()
    bench.lab.fault("iam:UpdateAccessKey", mode)
    assert isinstance(bench.observe(DISABLE, user=bench.world.user), Absent)
    with pytest.raises(Retryable):
        bench.act(DISABLE, user=bench.world.user)


def a_person(bench: Bench, status: str = "Inactive") -> None:
    """The same call, by the same identity, with another client."""
    bench.lab.client("iam").update_access_key(
        UserName=bench.world.user, AccessKeyId=bench.world.leaked.access_key_id, Status=status
    )


def whose(bench: Bench) -> bool | None:
    seen = bench.observe(DISABLE, user=bench.world.user)
    assert isinstance(seen, Present)
    return seen.ours


def test_our_own_act_is_known_by_the_trail(bench: Bench) -> None:
    lose(bench, "lost-answer")
    a_person(bench)  # later, and without effect
    assert whose(bench) is True


def test_what_a_person_did_while_our_request_was_lost_is_theirs(bench: Bench) -> None:
    lose(bench, "lost-request")
    a_person(bench)
    assert whose(bench) is False


def test_what_a_person_did_after_ours_was_taken_back_is_theirs(bench: Bench) -> None:
    lose(bench, "lost-answer")
    a_person(bench, "Active")
    a_person(bench)
    assert whose(bench) is False


def test_until_the_trail_has_delivered_nobody_knows(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(lag=timedelta(minutes=15))
    lose(bench, "lost-answer")
    assert whose(bench) is None
    assert bench.lab.calls("LookupEvents", since=bench.seen) == ()


def undo(bench: Bench) -> None:
    bench.look(DISABLE, user=bench.world.user)
    bench.acted[DISABLE] = {BY: SOMEBODY}
    bench.undo(DISABLE)


def test_undo_gives_back_what_the_trail_says_that_we_took(bench: Bench) -> None:
    lose(bench, "lost-answer")
    undo(bench)
    assert set(bench.listed().values()) == {"Active"}


def test_undo_leaves_what_a_person_disabled_and_names_them(bench: Bench) -> None:
    lose(bench, "lost-request")
    a_person(bench)
    with pytest.raises(StepFailed, match="not Stanch") as caught:
        undo(bench)
    assert ":user/" in str(caught.value) or ":root" in str(caught.value)
    assert set(bench.listed().values()) == {"Inactive"}


def test_undo_waits_for_the_trail_rather_than_guess(make_bench: Callable[..., Bench]) -> None:
    bench = make_bench(lag=timedelta(minutes=15))
    lose(bench, "lost-answer")
    with pytest.raises(StepFailed, match="not known"):
        undo(bench)
    assert set(bench.listed().values()) == {"Inactive"}

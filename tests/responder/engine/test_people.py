"""How many people must agree: nobody, one or two, as the policy's lines say, and why."""

from __future__ import annotations

from typing import Any

import pytest

from stanch.responder.domain.error import ApprovalRefused
from stanch.responder.domain.run import RunState
from stanch.responder.domain.runbook import Need

SEEN = {"a.seen": "a"}


def wait(room: Any, *people: Need) -> Any:
    run = room.begin(
        room.line("a", "lamp.look"),
        room.line("b", "lamp.smash", after=("a",), approval="second"),
        people=people,
    )
    room.settle(run)
    return run


def test_nobody_is_asked_where_the_policy_says_so_and_the_record_says_why(room: Any) -> None:
    run = wait(room, Need(when=SEEN, count=0, reason="it is public"))
    assert room.run(run).state is RunState.DONE
    assert room.asked(run) == ()
    assert room.recorded("approval.not_needed") == [("approval.not_needed", "b")]


def test_a_line_that_does_not_fit_decides_nothing(room: Any) -> None:
    run = wait(room, Need(when={"a.seen": "other"}, count=0, reason="it is public"))
    assert room.run(run).state is RunState.WAITING_APPROVAL


def test_two_must_be_two(room: Any) -> None:
    run = wait(room, Need(when=SEEN, count=2, reason="the user is protected"))
    room.decide(run, "bob")
    room.settle(run)
    assert room.run(run).state is RunState.WAITING_APPROVAL
    with pytest.raises(ApprovalRefused, match="agreed already"):
        room.decide(run, "bob")
    assert room.lamps.acts() == []
    room.decide(run, "dave")
    room.settle(run)
    assert room.run(run).state is RunState.DONE


def test_the_second_word_may_refuse(room: Any) -> None:
    run = wait(room, Need(when=SEEN, count=2, reason="the user is protected"))
    room.decide(run, "bob")
    room.settle(run)
    room.decide(run, "dave", granted=False)
    room.settle(run)
    assert room.lamps.acts() == []

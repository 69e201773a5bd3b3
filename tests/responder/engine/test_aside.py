"""What acts on a copy never stands in the way of what acts on the credential."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.runbook import Phase, Silence
from stanch.responder.domain.step import Verified
from tests.responder.conftest import ALICE


def copies(room: Any, names: list[str], uses: str = "copy.smash", **more: Any) -> Any:
    """A look that finds them, and a step for each."""
    room.lamps.then("look", "find", Verified(evidence={}, outputs={"seen": names}))
    find = room.line("find", "lamp.look", phase=Phase.IDENTIFY)
    each = room.line("copy", uses, after=("find",), phase=Phase.REVOKE, **more)
    return find, replace(each, each="${find.seen}", params={"lamp": "${item.value}"})


def test_a_copy_that_fails_leaves_the_question_about_the_credential_open(room: Any) -> None:
    room.lamps.then("act", "log", StepFailed("refused", remedy="x"))
    run = room.begin(*copies(room, ["log"]), room.line("key", "lamp.smash", approval="second"))
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert room.card(run).ask is not None
    room.decide(run)
    assert room.settle(run).state is RunState.FAILED  # it is said, once the rest is done
    assert room.lamps.lit == {"key"}


def test_the_credential_is_asked_about_before_its_copies(room: Any) -> None:
    run = room.begin(
        *copies(room, ["log"], approval="second"),
        room.line("key", "lamp.smash", approval="second", phase=Phase.AUDIT),
    )
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    title = room.card(run).ask.title
    assert title.startswith("Smash: ")
    question = room.approvals.open_for(room.run(run).incident)
    room.approvals.decide(question, by=_bob(), granted=True, reason="because it is so")
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert room.card(run).ask.title.startswith("Smash the copy: ")


def _bob() -> Any:
    from stanch.responder.domain.caller import Caller  # noqa: PLC0415  # one use

    return Caller(name="bob", door="cli")


def test_a_no_to_one_copy_is_an_answer_and_the_others_are_still_asked_about(room: Any) -> None:
    run = room.begin(*copies(room, ["a", "b"], approval="second"), room.line("key"))
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    room.approvals.decide(
        room.approvals.open_for(room.run(run).incident),
        by=_bob(),
        granted=False,
        reason="we keep this one",
    )
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    room.approvals.decide(
        room.approvals.open_for(room.run(run).incident),
        by=_bob(),
        granted=True,
        reason="because it is so",
    )
    assert room.settle(run).state is RunState.DONE
    states = {name: row.state for name, row in room.steps(run).items()}
    assert (states["copy[a]"], states["copy[b]"]) == (StepState.SKIPPED, StepState.DONE)
    assert room.lamps.lit == {"b", "key"}


def test_silence_about_a_copy_ends_the_run_as_done(room: Any) -> None:
    run = room.begin(
        *copies(room, ["a"], approval="second"), room.line("key"), silence=Silence.ABORT
    )
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    room.clock.move(room.asked(run)[-1].expires_at - room.clock.now)
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.lit == {"key"}


def test_a_copy_that_is_gone_for_good_does_not_forbid_to_undo_the_rest(room: Any) -> None:
    run = room.begin(*copies(room, ["log"]), room.line("key"))
    assert room.settle(run).state is RunState.DONE
    undo = room.responses.undo(room.run(run).incident, by=ALICE)
    assert room.settle_undo(undo).state is RunState.DONE
    assert room.lamps.lit == {"log"}


def test_what_was_done_to_each_copy_can_be_taken_back(room: Any) -> None:
    run = room.begin(*copies(room, ["a", "b"], uses="copy.cover"))
    assert room.settle(run).state is RunState.DONE
    undo = room.responses.undo(room.run(run).incident, by=ALICE)
    assert room.settle_undo(undo).state is RunState.DONE
    assert room.lamps.lit == set()

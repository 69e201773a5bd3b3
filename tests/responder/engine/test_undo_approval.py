"""Taking containment back makes a leaked credential work again: somebody else agrees first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.card import Next, Tone
from stanch.responder.domain.error import ApprovalRefused
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.runbook import UNDO, Need, Phase, Policy, Silence
from tests.responder.conftest import ALICE, BOB
from tests.responder.engine.test_forged_rows import sql

ONE = IncidentId(1)


def contained(room: Any, *people: Need) -> Any:
    book = room.write(
        room.line("a"), room.line("seen", "lamp.look", after=("a",)),
        room.line("b", after=("seen",), phase=Phase.REVOKE),
        contained_by="seen",
    )  # fmt: skip
    policy = Policy(
        id=UNDO, title="Undo", group="ops", expires=timedelta(hours=4), silence=Silence.HOLD,
        people=people,
    )  # fmt: skip
    room.books["acme"] = replace(book, policies={UNDO: policy})
    run = room.responses.respond(room.take().incident, by=ALICE)
    room.settle(run)
    return run


def asked_back(room: Any, by: Any = ALICE) -> Any:
    back = room.responses.undo(ONE, by=by)
    assert room.settle(back).state is RunState.WAITING_APPROVAL
    return back


def test_nothing_is_taken_back_before_somebody_else_agrees(room: Any) -> None:
    contained(room)
    back = asked_back(room)
    assert room.lamps.lit == {"a", "b"}
    with pytest.raises(ApprovalRefused, match="cannot also give it"):
        room.decide(back, "alice")
    with pytest.raises(ApprovalRefused, match="not in the group"):
        room.decide(back, "carol")
    assert room.settle(back).state is RunState.WAITING_APPROVAL
    room.decide(back, "bob")
    assert room.settle(back).state is RunState.DONE
    assert room.lamps.lit == set()
    actions = [action for action, _ in room.recorded()]
    assert actions.index("approval.granted") < actions.index("incident.containment_lifted")


def test_the_question_shows_every_call_of_the_undo(room: Any) -> None:
    contained(room)
    asked_back(room)
    ask = room.cards.card(ONE).ask
    assert ask.title == "Undo the containment: acme…7Q2M. This cannot be undone."
    assert [call.partition(" ")[0] for call in ask.calls] == [
        "lamp.darken", "about", "lamp.darken", "about",
    ]  # fmt: skip


def test_until_then_the_card_says_what_still_holds(room: Any) -> None:
    contained(room)
    room.responses.undo(ONE, by=ALICE)
    before = room.cards.card(ONE)
    assert (before.state, before.ask) == ("CONTAINED", None)
    assert before.summary.endswith("alice asks to undo it. Nothing was taken back.")
    room.settle(room.responses.undo(ONE, by=ALICE))
    card = room.cards.card(ONE)
    assert (card.state, card.tone) == ("CONTAINED", Tone.WAITING)
    assert card.summary.endswith(
        "alice asks to undo it. Waits for a decision by bob, dave or dora."
    )
    assert card.next == (Next("leave it contained", "stanch cancel LK-1"),)
    assert room.incident(room.asked(_newest(room))[-1].run).state is IncidentState.CONTAINED


def test_who_says_no_leaves_everything_as_it_was(room: Any) -> None:
    run = contained(room)
    back = asked_back(room)
    room.decide(back, "bob", granted=False)
    assert room.settle(back).state is RunState.ABORTED
    assert room.lamps.lit == {"a", "b"}
    card = room.cards.card(ONE)
    assert "The undo was refused by bob: “because it is so”. Nothing was taken back." in (
        card.summary
    )
    assert card.next == (Next("go on", "stanch respond LK-1"),)
    # Nobody has to be somebody to go on protecting, and what was done is not done again.
    assert room.settle(room.responses.respond(ONE, by=ALICE)).state is RunState.DONE
    assert room.lamps.acts() == ["a", "b"]
    assert room.run(run).state is RunState.DONE


def test_a_response_that_an_undo_stopped_goes_on_where_it_was_when_the_undo_is_called_off(
    room: Any,
) -> None:
    run = room.begin(
        room.line("a"), room.line("b", "lamp.smash", after=("a",), approval="second"),
    )  # fmt: skip
    room.settle(run)
    asked_back(room)
    assert room.run(run).state is RunState.ABORTED
    room.responses.cancel(ONE, by=BOB)
    assert "called off" in room.cards.card(ONE).summary
    assert room.responses.respond(ONE, by=ALICE) == run
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert "undo" not in room.cards.card(ONE).summary
    room.decide(run)
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.acts() == ["a", "b"]


def test_whoever_asked_for_an_undo_that_was_refused_does_not_agree_to_the_next(room: Any) -> None:
    contained(room)
    back = asked_back(room)
    room.decide(back, "bob", granted=False)
    room.settle(back)
    again = asked_back(room, BOB)
    assert again != back
    with pytest.raises(ApprovalRefused, match="cannot also give it"):
        room.decide(again, "alice")
    room.decide(again, "dave")
    assert room.settle(again).state is RunState.DONE


def test_silence_keeps_it_contained_until_somebody_asks_again(room: Any) -> None:
    contained(room)
    back = asked_back(room)
    room.clock.move(timedelta(hours=5))
    room.reconciler.sweep()
    room.settle(back)
    assert room.lamps.lit == {"a", "b"}
    card = room.cards.card(ONE)
    assert "nobody decided in time" in card.summary
    assert [each.command for each in card.next] == ["stanch cancel LK-1", "stanch undo LK-1"]
    assert room.responses.undo(ONE, by=ALICE) == back
    room.settle(back)
    room.decide(back, "bob")
    assert room.settle(back).state is RunState.DONE


def test_an_operators_policy_may_want_two_or_nobody_and_the_reason_is_on_record(room: Any) -> None:
    contained(
        room,
        Need(when={"incident.state": "contained"}, count=0, reason="it is dead"),
        Need(when={}, count=2, reason="it works again"),
    )
    back = room.responses.undo(ONE, by=ALICE)
    # Its own effect makes the incident open again; what needed no word needs none after a crash.
    room.lamps.then("undo", "b", lambda: ConnectionError("cut off"))
    room.settle(back)
    assert room.recorded("approval.not_needed") == [("approval.not_needed", "undo-a")]
    assert room.recorded("approval.asked") == []
    assert room.run(back).state is RunState.FAILED


def test_two_of_them_where_the_policy_says_two(room: Any) -> None:
    contained(room, Need(when={"seen.seen": "seen"}, count=2, reason="two must look"))
    back = asked_back(room)
    room.decide(back, "bob")
    assert room.settle(back).state is RunState.WAITING_APPROVAL
    assert room.lamps.lit == {"a", "b"}
    room.decide(back, "dave")
    assert room.settle(back).state is RunState.DONE


@pytest.mark.parametrize(
    "attack",
    [
        "UPDATE steps SET approval = NULL WHERE id = 'undo-a'",
        "UPDATE approvals SET decision='granted', decided_by='bob', decided_at=asked_at",
    ],
)
def test_no_row_takes_containment_back(room: Any, attack: str) -> None:
    contained(room)
    back = asked_back(room)
    sql(room, attack, "UPDATE runs SET state = 'running', finished_at = NULL WHERE kind = 'undo'")
    room.advance(back)
    assert room.lamps.lit == {"a", "b"}
    assert room.run(back).state is RunState.FAILED
    assert room.steps(back)["undo-a"].state is StepState.FAILED


def _newest(room: Any) -> Any:
    with room.store.snapshot() as tx:
        return tx.runs.of(ONE)[-1].id

"""One person's word, for one exact plan, for a limited time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.error import ApprovalRefused, UsageError
from stanch.responder.domain.ids import ApprovalId
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.runbook import Phase, Silence
from stanch.responder.domain.step import NotYet
from stanch.responder.services.shredding import shred_all
from tests.responder.conftest import ALICE, BOB, MINUTE

LONG = timedelta(minutes=11)  # the policy waits ten


def asking(room: Any, silence: Silence = Silence.HOLD) -> Any:
    """A run that contained its lamp and waits for a word before it smashes the other."""
    run = room.begin(
        room.line("hold"),
        room.line("smash", "lamp.smash", after=("hold",), approval="second", phase=Phase.REVOKE),
        silence=silence,
    )
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    return run


def change_the_plan(room: Any, run: Any) -> None:
    """What would be called is something else now."""
    with room.store.transaction() as tx:
        incident = tx.incidents.get(tx.runs.get(run).incident)
        tx.incidents.save(replace(incident, preview="acme…XXXX"))


def test_a_run_waits_for_a_word_and_says_whose(room: Any) -> None:
    run = asking(room)
    ask = room.card(run).ask
    assert (ask.group, ask.requester) == ("ops", "alice")
    assert "cannot be undone" in ask.title
    assert any("lamp.smash lamp=smash" in call for call in ask.calls)
    assert room.lamps.lit == {"hold"}
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert len(room.asked(run)) == 1  # advanced again, asked once


def test_another_member_of_the_group_lets_it_go_on(room: Any) -> None:
    run = asking(room)
    assert room.decide(run).decided_by == "bob"
    assert room.run(run).state is RunState.RUNNING
    assert (Errand.ADVANCE, run) in room.bell.rings
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.lit == {"hold", "smash"}


@pytest.mark.parametrize(
    ("name", "why"),
    [("alice", "cannot also give it"), ("carol", "not in the group"), ("mallory", "not a known")],
)
def test_a_word_that_does_not_count_changes_nothing(room: Any, name: str, why: str) -> None:
    run = asking(room)
    with pytest.raises(ApprovalRefused, match=why) as caught:
        room.decide(run, name)
    assert caught.value.remedy
    assert room.asked(run)[-1].decision is Decision.OPEN
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert room.lamps.lit == {"hold"}


def test_a_refused_word_is_on_the_record(room: Any) -> None:
    run = asking(room)
    with pytest.raises(ApprovalRefused):
        room.decide(run, "alice")
    assert room.recorded("approval.refused") == [("approval.refused", "smash")]


def test_a_second_word_is_refused(room: Any) -> None:
    run = asking(room)
    room.decide(run)
    with pytest.raises(ApprovalRefused, match="already granted"):
        room.decide(run, granted=False)
    assert room.settle(run).state is RunState.DONE


def test_a_denial_ends_the_run_and_keeps_what_contains(room: Any) -> None:
    run = asking(room)
    room.decide(run, granted=False)
    assert room.settle(run).state is RunState.ABORTED
    assert room.steps(run)["smash"].state is StepState.SKIPPED
    assert room.lamps.lit == {"hold"}


def test_after_a_denial_responding_again_asks_again(room: Any) -> None:
    run = asking(room)
    room.decide(run, granted=False)
    room.settle(run)
    assert room.responses.respond(room.run(run).incident, by=BOB) == run
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert room.asked(run)[-1].decision is Decision.OPEN
    with pytest.raises(ApprovalRefused, match="cannot also"):
        room.decide(run, "bob")  # who asks anew is the requester now
    with pytest.raises(ApprovalRefused, match="cannot also"):
        room.decide(run, "alice")  # and who asked at first still is
    room.decide(run, "dora")
    assert room.settle(run).state is RunState.DONE


@pytest.mark.parametrize(
    ("silence", "state", "lit"),
    [
        (Silence.HOLD, RunState.WAITING_APPROVAL, {"hold"}),
        (Silence.PROCEED, RunState.DONE, {"hold", "smash"}),
        (Silence.ABORT, RunState.ABORTED, {"hold"}),
    ],
)
def test_silence_means_what_the_policy_says(
    room: Any, silence: Silence, state: RunState, lit: set[str]
) -> None:
    run = asking(room, silence)
    room.clock.move(LONG)
    assert room.reconciler.sweep() > 0  # nobody else would look
    assert (Errand.ADVANCE, run) in room.bell.rings
    assert room.settle(run).state is state
    assert room.lamps.lit == lit
    assert room.asked(run)[-1].decision is Decision.EXPIRED


def test_a_word_that_comes_too_late_is_refused_and_can_be_asked_for_again(room: Any) -> None:
    run = asking(room)
    room.clock.move(LONG)
    with room.store.transaction() as tx:  # the card shows all that has happened
        for message in tx.outbox.waiting(tx.now(), Errand.NOTIFY):
            tx.outbox.done(message)
    with pytest.raises(ApprovalRefused, match="expired"):
        room.decide(run)
    assert room.asked(run)[-1].decision is Decision.EXPIRED
    with room.store.snapshot() as tx:
        assert tx.outbox.waiting(tx.now(), Errand.NOTIFY)  # and is told that nobody is asked now
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    room.responses.respond(room.run(run).incident, by=ALICE)
    room.settle(run)
    assert [a.decision for a in room.asked(run)] == [Decision.VOID, Decision.OPEN]
    room.decide(run)
    assert room.settle(run).state is RunState.DONE


def test_an_open_question_is_not_asked_twice_when_somebody_responds_again(room: Any) -> None:
    run = asking(room)
    room.responses.respond(room.run(run).incident, by=ALICE)
    room.settle(run)
    assert [a.decision for a in room.asked(run)] == [Decision.OPEN]


@pytest.mark.parametrize("answered", [False, True])
def test_a_plan_that_changed_after_the_question_is_asked_about_anew(
    room: Any, *, answered: bool
) -> None:
    run = asking(room)
    if answered:
        room.decide(run)
    change_the_plan(room, run)
    if not answered:
        with pytest.raises(ApprovalRefused, match="another plan"):
            room.decide(run)
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    first, second = room.asked(run)
    assert first.decision is (Decision.GRANTED if answered else Decision.VOID)
    assert second.decision is Decision.OPEN
    assert second.plan_hash != first.plan_hash
    assert room.lamps.lit == {"hold"}
    room.decide(run)
    assert room.settle(run).state is RunState.DONE


def test_a_runbook_that_is_replaced_changes_nothing_for_a_run_under_way(room: Any) -> None:
    run = asking(room)
    room.write(*room.books["acme"].steps[:1], version=2)
    room.decide(run)
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.lit == {"hold", "smash"}


def test_who_asks_about_what_is_not_there_is_told(room: Any) -> None:
    run = asking(room)
    incident = room.run(run).incident
    assert room.approvals.open_for(incident) == room.asked(run)[-1].id
    with pytest.raises(UsageError, match="no approval"):
        room.approvals.question(ApprovalId("none"))
    room.decide(run)
    with pytest.raises(UsageError, match="does not wait"):
        room.approvals.open_for(incident)


def test_a_person_of_slack_is_found_by_id_and_never_by_name(room: Any) -> None:
    assert room.approvals.by_slack("T1/U2").name == "bob"
    with pytest.raises(ApprovalRefused) as caught:
        room.approvals.by_slack("bob")
    assert "slack" in caught.value.remedy


def test_the_question_shows_the_calls_as_they_are_now(room: Any) -> None:
    run = asking(room)
    question = room.approvals.question(room.asked(run)[-1].id)
    assert question.plan_hash == question.approval.plan_hash
    change_the_plan(room, run)
    assert room.approvals.question(question.approval.id).plan_hash != question.plan_hash


def test_a_long_wait_beside_a_question_keeps_nobody_waiting_and_goes_on_by_itself(
    room: Any,
) -> None:
    """The trail is late by five minutes; the question stands meanwhile, and after it."""
    later = NotYet(why="the trail is late", after=5 * MINUTE, until=room.clock.now + 5 * MINUTE)
    room.lamps.then("verify", "b", later)
    run = room.begin(
        room.line("a", approval="second"), room.line("b"), room.line("c", after=("b",))
    )
    assert room.advance(run) > 4 * MINUTE
    assert room.run(run).state is RunState.WAITING_APPROVAL
    assert room.steps(run)["b"].state is StepState.WAITING
    room.clock.move(5 * MINUTE)
    room.advance(run)
    assert {name: step.state for name, step in room.steps(run).items()} == {
        "a": StepState.BLOCKED,
        "b": StepState.DONE,
        "c": StepState.DONE,
    }
    assert room.lamps.acts() == ["b", "c"]


def looks(room: Any, lamp: str) -> int:
    return sum(call == ("look", lamp) for call in room.lamps.calls)


def watching(room: Any) -> Any:
    """A run that has watched, lit what it saw, and asks."""
    run = room.begin(
        room.line("watch", "lamp.watch"),
        room.line("other", "lamp.look"),
        room.line("light", after=("watch",)),
        room.line("sum", "lamp.look", after=("light", "other")),
        room.line("smash", "lamp.smash", after=("sum",), approval="second", phase=Phase.REVOKE),
    )
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    return run


def test_what_may_be_more_by_now_is_looked_at_again_before_people_are_asked_again(
    room: Any,
) -> None:
    run = watching(room)
    assert (looks(room, "watch"), len(room.asked(run))) == (1, 1)
    before = room.steps(run)["light"].before
    room.clock.move(LONG)
    room.settle(run)
    room.responses.respond(room.run(run).incident, by=ALICE)
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert [looks(room, name) for name in ("watch", "sum", "other")] == [2, 2, 1]
    assert room.asked(run)[-1].asked_at >= room.steps(run)["watch"].finished_at
    assert room.steps(run)["light"].before == before  # what undo must know
    assert room.lamps.acts() == ["light"]
    room.decide(run)
    assert room.settle(run).state is RunState.DONE


def test_what_was_shredded_is_not_looked_at_again(room: Any) -> None:
    """Who goes on with a closed incident is asked as before; nothing is left to look with."""
    run = watching(room)
    room.clock.move(LONG)
    room.settle(run)
    with room.store.transaction() as tx:
        shred_all(tx, tx.runs.get(run).incident, actor="cli:bob", why="the incident is closed")
    room.responses.respond(room.run(run).incident, by=ALICE)
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert looks(room, "watch") == 1


def test_what_was_seen_just_now_is_not_looked_at_again(room: Any) -> None:
    run = watching(room)
    room.decide(run, granted=False)
    room.settle(run)
    room.responses.respond(room.run(run).incident, by=BOB)
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    assert looks(room, "watch") == 1


def test_of_many_questions_the_card_shows_the_one_that_a_word_decides(room: Any) -> None:
    """All asked in the same instant, with ids that say nothing of their order."""
    names = ("a", "b", "c", "d")
    run = room.begin(*(room.line(name, approval="second") for name in names))
    room.settle(run)
    for _ in names:
        shown = room.card(run).ask
        asked = room.approvals.open_for(room.run(run).incident)
        assert shown.approval == asked
        room.approvals.decide(asked, by=BOB, granted=True, reason="It is public already.")
        room.settle(run)
    assert room.run(run).state is RunState.DONE

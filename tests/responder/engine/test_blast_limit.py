"""Reports alone may contain so much in one account, and no more before a person has looked."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.step import Verified
from stanch.responder.engine.limit import COUNTED, Limit
from stanch.responder.services.intake import Report
from tests.responder.conftest import ALICE, BOB, Room
from tests.responder.engine.test_forged_rows import sql

HOUR = timedelta(hours=1)


@pytest.fixture
def narrow(room: Any) -> Any:
    """Two containments an hour; a runbook that changes two things at once."""
    room.executor = replace(
        room.executor, dispatch=replace(room.executor.dispatch, limit=Limit(most=2, within=HOUR))
    )
    room.write(
        room.line("owner", "lamp.look"),
        room.line("a", after=("owner",)),
        room.line("b", after=("owner",)),
        room.line("seen", "lamp.look", after=("a", "b")),
        contained_by="seen",
    )
    return room


def report(room: Room, account: str = "111") -> Any:
    """A leak that somebody's scan has found; its owner is in this account."""
    room.lamps.lit.clear()
    room.lamps.then(
        "look", "owner", Verified(evidence={}, outputs={"seen": "owner", "account": account})
    )
    taken = room.intake.receive(
        Report(match=room.match(), root="payments", by=ALICE, detected_at=room.clock.now)
    )
    assert taken.run is not None
    room.settle(taken.run)
    return taken.run


def test_one_too_many_waits_for_one_word_and_says_why(narrow: Any) -> None:
    for _ in range(2):
        assert narrow.run(report(narrow)).state is RunState.DONE
    third = report(narrow)
    assert narrow.run(third).state is RunState.WAITING_APPROVAL
    assert narrow.lamps.lit == set()
    assert len(narrow.asked(third)) == 1  # for both changes together
    card = narrow.card(third)
    assert card.state == "UNTRIED"
    assert "reports alone have set off 2 containments in acme 111 within an hour" in card.summary
    assert card.ask.title == "Contain: acme…7Q2M. This can be undone."
    assert len(card.ask.calls) == 4
    narrow.decide(third, "bob")
    assert narrow.settle(third).state is RunState.DONE
    assert narrow.lamps.lit == {"a", "b"}


def test_each_containment_is_counted_once_on_the_record(narrow: Any) -> None:
    report(narrow)
    with narrow.store.snapshot() as tx:
        counted = [e.event for e in tx.ledger.entries() if e.event.action == COUNTED]
    assert [(e.detail["account"], e.detail["number"]) for e in counted] == [("acme 111", 1)]


def test_another_account_and_a_later_hour_have_a_limit_of_their_own(narrow: Any) -> None:
    for _ in range(2):
        report(narrow)
    assert narrow.run(report(narrow, "222")).state is RunState.DONE
    narrow.clock.move(HOUR + timedelta(seconds=1))
    assert narrow.run(report(narrow)).state is RunState.DONE


def test_who_asks_for_this_very_incident_is_a_person_and_is_not_limited(narrow: Any) -> None:
    for _ in range(2):
        report(narrow)
    third = report(narrow)
    number = narrow.run(third).incident
    # Seen once more is not asked for.
    narrow.responses.respond(number, by=ALICE, report=True)
    assert narrow.settle(third).state is RunState.WAITING_APPROVAL
    narrow.responses.respond(number, by=BOB)
    assert narrow.settle(third).state is RunState.DONE
    assert len(narrow.recorded(COUNTED)) == 2


def test_who_agreed_to_a_step_before_is_not_asked_again(narrow: Any) -> None:
    for _ in range(2):
        report(narrow)
    narrow.write(
        narrow.line("owner", "lamp.look", approval="second"),
        narrow.line("a", after=("owner",)),
        version=2,
    )
    third = report(narrow)
    narrow.decide(third, "bob")
    assert narrow.settle(third).state is RunState.DONE
    assert len(narrow.asked(third)) == 1


def test_a_refusal_leaves_it_as_it_was_and_the_run_ends(narrow: Any) -> None:
    for _ in range(2):
        report(narrow)
    third = report(narrow)
    narrow.decide(third, "bob", granted=False)
    assert narrow.settle(third).state is RunState.ABORTED
    assert narrow.lamps.lit == set()
    assert {narrow.steps(third)[name].state for name in "ab"} == {StepState.SKIPPED}
    assert narrow.card(third).state == "UNTRIED"


def test_what_was_begun_goes_on_whatever_was_counted_since(narrow: Any) -> None:
    """A worker that died in the first containment of three does not need a word for the rest."""
    died: list[str] = []

    def die(step: str, boundary: str) -> None:
        if boundary == "begun" and not died:
            died.append(step)
            raise SystemExit

    narrow.lamps.crash = die
    with pytest.raises(SystemExit):
        report(narrow)
    with narrow.store.snapshot() as tx:
        first = tx.runs.of(IncidentId(1))[-1].id
    for _ in range(2):
        report(narrow)
    narrow.clock.move(timedelta(minutes=1))
    assert narrow.settle(first).state is RunState.DONE


def test_who_is_not_known_sets_off_no_more_than_a_report(narrow: Any) -> None:
    for _ in range(2):
        report(narrow)
    third = report(narrow)
    narrow.responses.respond(narrow.run(third).incident, by=Caller(name="mallory", door="cli"))
    assert narrow.settle(third).state is RunState.WAITING_APPROVAL


def test_an_entry_of_the_count_that_another_wrote_stops_the_run(narrow: Any) -> None:
    report(narrow)
    sql(narrow, "UPDATE ledger SET detail = '{}' WHERE action = 'containment.counted'")
    assert narrow.run(report(narrow)).state is RunState.FAILED

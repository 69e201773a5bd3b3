"""Who may decide is sealed on the record, and read anew for each decision."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from stanch.responder.domain.approval import Person
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.error import ApprovalRefused, Tampered, UsageError
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.runbook import Phase
from stanch.responder.services.people import (
    LivePeople,
    differing,
    duplicates,
    seal,
    seal_first,
)
from tests.responder.conftest import ALICE, BOB, PEOPLE

WHY = "the list has changed"
MALLORY = Person(name="mallory", groups=frozenset({"ops"}))


def asking(room: Any) -> RunId:
    run: RunId = room.begin(
        room.line("hold"),
        room.line("smash", "lamp.smash", after=("hold",), approval="second", phase=Phase.REVOKE),
    )
    room.settle(run)
    return run


def test_a_configuration_of_ones_own_makes_nobody_a_person(room: Any) -> None:
    seal_first(room.store, PEOPLE)
    mine = LivePeople(room.store, lambda: {"mallory": MALLORY, **PEOPLE})
    assert set(mine) == set(PEOPLE)
    with pytest.raises(ApprovalRefused):
        seal(room.store, {"mallory": MALLORY}, by=Caller(name="mallory", door="cli"), reason=WHY)
    seal_first(room.store, {"mallory": MALLORY})
    assert "mallory" not in mine


def test_more_groups_and_another_account_need_the_record_too(room: Any) -> None:
    seal_first(room.store, PEOPLE)
    carol = replace(PEOPLE["carol"], groups=frozenset({"ops", "sales"}))
    bob = replace(PEOPLE["bob"], slack="T1/U9")
    live = LivePeople(room.store, lambda: {**PEOPLE, "carol": carol, "bob": bob})
    assert live["carol"].groups == {"sales"}
    assert "bob" not in live
    with room.store.snapshot() as tx:
        assert set(differing(tx, live.configured())) == {"bob", "carol"}
    seal(room.store, live.configured(), by=ALICE, reason=WHY)
    assert live["carol"].groups == {"ops", "sales"}
    assert live["bob"].slack == "T1/U9"


def test_who_loses_a_group_while_a_service_runs_decides_no_more(room: Any) -> None:
    seal_first(room.store, PEOPLE)
    now = dict(PEOPLE)
    approvals = replace(room.approvals, people=LivePeople(room.store, lambda: now))
    run = asking(room)
    now["bob"] = replace(PEOPLE["bob"], groups=frozenset())
    with pytest.raises(ApprovalRefused, match="not in the group"):
        approvals.decide(room.asked(run)[-1].id, by=BOB, granted=True, reason=WHY)


def test_everybody_who_asked_or_resumed_is_the_requester(room: Any) -> None:
    run = asking(room)
    room.decide(run, granted=False)
    room.settle(run)
    room.responses.respond(room.run(run).incident, by=BOB)
    room.settle(run)
    for name in ("alice", "bob"):
        with pytest.raises(ApprovalRefused, match="cannot also give it"):
            room.decide(run, name)
    assert room.lamps.acts() == ["hold"]


def test_an_account_that_asked_under_another_name_is_the_requester(room: Any) -> None:
    people = {**PEOPLE, "bob": replace(PEOPLE["bob"], account="bob")}
    approvals = replace(room.approvals, people=people)
    room.write(room.line("smash", "lamp.smash", approval="second", phase=Phase.REVOKE))
    asked = Caller(name="nobody", door="cli", account="bob")
    run = room.responses.respond(room.take().incident, by=asked)
    room.settle(run)
    with pytest.raises(ApprovalRefused, match="cannot also give it"):
        approvals.decide(
            room.asked(run)[-1].id, by=replace(BOB, account="bob"), granted=True, reason=WHY
        )


@pytest.mark.parametrize("what", ["undo", "respond"])
def test_a_stranger_takes_nothing_back_and_overrules_nobody(room: Any, what: str) -> None:
    run = asking(room)
    room.decide(run, granted=False)
    room.settle(run)
    stranger = Caller(name="mallory", door="cli")
    with pytest.raises(ApprovalRefused, match="not a known person"):
        getattr(room.responses, what)(room.run(run).incident, by=stranger)
    assert room.lamps.lit == {"hold"}


@pytest.mark.parametrize("reason", ["", "   ", "ok", "a         b"])
def test_a_reason_says_something_at_every_door(room: Any, reason: str) -> None:
    run = asking(room)
    with pytest.raises(UsageError, match="10 characters"):
        room.approvals.decide(room.asked(run)[-1].id, by=BOB, granted=True, reason=reason)


def test_two_people_who_share_an_identity_are_named() -> None:
    shared = {**PEOPLE, "eve": replace(MALLORY, name="eve", slack="T1/U2")}
    assert duplicates(PEOPLE) == ()
    assert duplicates(shared) == ("slack 'T1/U2': bob, eve",)


def test_who_was_taken_off_the_list_is_not_put_back_by_deleting_that_entry(room: Any) -> None:
    seal_first(room.store, PEOPLE)
    fewer = {name: person for name, person in PEOPLE.items() if name != "carol"}
    seal(room.store, fewer, by=ALICE, reason=WHY)
    seal(room.store, fewer, by=ALICE, reason=WHY)  # life goes on: the entry is not the last
    room.attacked = True
    with room.store.engine.begin() as connection:
        connection.execute(
            text(
                "DELETE FROM ledger WHERE action = 'people.sealed' AND seq > 1 AND seq < "
                "(SELECT MAX(seq) FROM ledger)"
            )
        )
        connection.execute(text("UPDATE ledger SET action = 'x' WHERE seq > 1"))
    with pytest.raises(Tampered, match="are gone"):
        LivePeople(room.store, lambda: PEOPLE).now()

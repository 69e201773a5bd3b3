"""Who closes an incident, when they may, and what opens it again."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.card import Tone
from stanch.responder.domain.error import ApprovalRefused, UsageError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import RunState
from stanch.responder.domain.runbook import Phase
from stanch.responder.ledger.anchor import Notary
from stanch.responder.ledger.checkpoint import SigningKey
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.postmortem.build import build
from stanch.responder.services.casefiles import CaseFiles
from stanch.responder.services.closing import Closing, Closure, Disposition
from stanch.responder.services.intake import News
from stanch.scanner.model.provenance import InWorktree
from stanch.scanner.model.secret import SecretValue
from tests.responder.conftest import ALICE, PEOPLE

LK1 = IncidentId(1)
Close = Callable[..., Any]


@pytest.fixture
def closing(room: Any, tmp_path: Path) -> Closing:
    seal = LedgerSeal(SecretValue(os.urandom(32)))
    notary = Notary(signer=SigningKey(tmp_path / "key"), seal=seal, files=())
    casefiles = CaseFiles(store=room.store, seal=seal, notary=notary, specs={})
    return Closing(store=room.store, casefiles=casefiles, people=PEOPLE, doorbell=room.bell)


@pytest.fixture
def close(closing: Closing) -> Close:
    def say(**changes: Any) -> Any:
        said = {"by": ALICE, "reason": "the key is dead", "owners": {}, "other": "dana"}
        return closing.close(LK1, Closure(**{**said, **changes}))

    return say


def dead(room: Any) -> Any:
    """An acme token that is proven dead."""
    room.take(room.match(fingerprint="v1:" + "0" * 32))
    room.write(
        room.line("a"),
        room.line("seen", "lamp.look", after=("a",)),
        room.line("dead", "lamp.look", after=("seen",), phase=Phase.AUDIT),
        contained_by="seen",
        proven_dead_by="dead",
    )
    run = room.responses.respond(LK1, by=ALICE)
    room.settle(run)
    return run


def waiting(room: Any) -> Any:
    """A contained token whose last step waits for a person."""
    run = room.begin(
        room.line("seen", "lamp.look"),
        room.line("b", "lamp.smash", after=("seen",), approval="second", phase=Phase.REVOKE),
        contained_by="seen",
    )
    room.settle(run)
    return run


def state(room: Any) -> IncidentState:
    with room.store.transaction() as tx:
        found: IncidentState = tx.incidents.get(LK1).state
        return found


def recorded(room: Any, action: str) -> list[Any]:
    with room.store.transaction() as tx:
        return [e.event for e in tx.ledger.entries(LK1) if e.event.action == action]


def test_closing_names_an_owner_for_every_action_item_and_who_closed(
    room: Any, close: Close, closing: Closing
) -> None:
    dead(room)
    items = [action.id for action in closing.actions(LK1)]
    assert items, "the facts ask for something"
    done = close(owners={items[0]: " erin "})
    assert [action.owner for action in done] == ["erin", *["dana"] * (len(items) - 1)]
    assert state(room) is IncidentState.CLOSED
    (said,) = recorded(room, "incident.closed")
    assert said.actor == "cli:alice"
    assert said.detail["reason"] == "the key is dead"
    assert len(recorded(room, "action.assigned")) == len(items)
    card = room.cards.card(LK1)
    assert (card.headline, card.tone) == ("CLOSED · acme token · LK-1", Tone.SAFE)
    assert dict(card.facts)["Closed"] == "by alice: the key is dead"
    report = build(closing.casefiles.case(LK1), now=room.clock.now)
    assert report.closed is not None
    assert report.closed.by == "alice"
    assert {action.owner for action in report.actions} <= {"erin", "dana"}


def test_an_action_item_without_an_owner_keeps_the_incident_open(room: Any, close: Close) -> None:
    dead(room)
    with pytest.raises(UsageError, match="no owner: read-the-trail, remove-copies"):
        close(other=None)
    assert state(room) is IncidentState.PROVEN_DEAD


def test_an_action_item_that_is_not_there_cannot_be_assigned(room: Any, close: Close) -> None:
    dead(room)
    with pytest.raises(UsageError, match="'rewrite'"):
        close(owners={"rewrite": "dana"})
    assert recorded(room, "action.assigned") == []


def test_a_stranger_cannot_close(room: Any, close: Close) -> None:
    dead(room)
    stranger = type(ALICE)(name="mallory", door="cli")
    with pytest.raises(ApprovalRefused, match="not a known person"):
        close(by=stranger)
    assert state(room) is IncidentState.PROVEN_DEAD


def test_closing_needs_a_reason(room: Any, close: Close) -> None:
    dead(room)
    with pytest.raises(UsageError, match="a reason"):
        close(reason="  ")


def test_nothing_that_may_live_is_closed_by_accident(room: Any, close: Close) -> None:
    run = waiting(room)
    with pytest.raises(UsageError, match="not proven dead"):
        close()
    close(unproven=True)
    card = room.cards.card(LK1)
    assert card.headline.startswith("CLOSED, NOT PROVEN DEAD")
    assert (card.tone, card.ask) == (Tone.WAITING, None)
    assert room.run(run).state is RunState.ABORTED
    assert [a.decision for a in room.asked(run)] == [Decision.VOID]


def test_a_run_that_works_keeps_its_incident_open(room: Any, close: Close) -> None:
    room.begin(room.line("a"))
    with pytest.raises(UsageError, match="still being worked on"):
        close(unproven=True)


def test_closing_twice_is_refused(room: Any, close: Close) -> None:
    dead(room)
    close()
    with pytest.raises(UsageError, match="closed already"):
        close()
    assert len(recorded(room, "incident.closed")) == 1


def test_a_new_sighting_opens_a_closed_incident_and_asks_for_owners_anew(
    room: Any, close: Close, closing: Closing
) -> None:
    dead(room)
    close()
    room.clock.move(timedelta(days=1))
    seen = room.match(fingerprint="v1:" + "0" * 32, provenance=InWorktree(path="again.env"))
    assert room.take(seen).news is News.REOPENED
    assert state(room) is IncidentState.OPEN
    assert {action.owner for action in closing.actions(LK1)} == {None}


def test_who_responds_to_a_closed_incident_opens_it_where_it_stood(room: Any, close: Close) -> None:
    dead(room)
    close()
    room.responses.respond(LK1, by=ALICE)
    assert state(room) is IncidentState.PROVEN_DEAD
    assert [event.actor for event in recorded(room, "incident.taken_up")] == ["cli:alice"]


def test_a_response_goes_on_where_closing_ended_it(room: Any, close: Close) -> None:
    run = waiting(room)
    close(unproven=True)
    assert room.responses.respond(LK1, by=ALICE) == run
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    room.decide(run)
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.acts() == ["b"]


def test_closing_itself_leaves_no_value_behind(room: Any, close: Close) -> None:
    """Not the next sweep: who closes and stops the workers has nothing left either."""
    dead(room)
    with room.store.snapshot() as tx:
        assert tx.envelopes.incidents() == (LK1,)
    close()
    with room.store.snapshot() as tx:
        assert tx.envelopes.incidents() == ()
    assert [event.actor for event in recorded(room, "secret.shredded")] == ["cli:alice"]


def test_nobody_is_asked_about_what_cannot_be_done_without_the_value(
    room: Any, close: Close, monkeypatch: pytest.MonkeyPatch
) -> None:
    smash = type(room.planner.steps["lamp.smash"])
    monkeypatch.setattr(smash, "spec", replace(smash.spec, parts=("value",)))
    run = waiting(room)
    close(unproven=True)
    room.responses.respond(LK1, by=ALICE)
    assert room.settle(run).state is RunState.FAILED
    card = room.cards.card(LK1)
    assert card.ask is None
    assert "shredded when the incident was closed" in card.failure
    assert "a new sighting brings the value back" in card.failure
    assert room.lamps.acts() == []


def test_what_is_not_ours_ends_as_that_and_owes_nobody_an_action(room: Any, close: Close) -> None:
    room.take(room.match())
    close(other=None, reason="globex was told", disposition=Disposition.NOT_OURS)
    card = room.cards.card(LK1)
    assert (card.state, card.tone) == ("CLOSED, NOT OURS", Tone.WAITING)
    assert "not ours" in card.summary
    assert dict(card.facts)["Closed"] == "by alice: globex was told"

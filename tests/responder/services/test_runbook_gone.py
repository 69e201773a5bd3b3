"""A question is about the runbook that its run follows, whatever is installed by now."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.run import RunState
from stanch.responder.domain.runbook import Phase
from tests.responder.conftest import ALICE
from tests.responder.engine.test_forged_rows import sql

ONE = IncidentId(1)


def asking(room: Any) -> Any:
    run = room.begin(
        room.line("a"),
        room.line("b", "lamp.smash", after=("a",), approval="second", phase=Phase.REVOKE),
    )
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    return run


def gone(room: Any) -> None:
    room.books.clear()


def changed(room: Any) -> None:
    """Another policy of the same name, another step of the same name, a newer version."""
    book = room.write(room.line("a", "lamp.look"), version=2)
    policy = replace(book.policies["second"], group="sales")
    room.books["acme"] = replace(book, policies={"second": policy})


@pytest.mark.parametrize("happens", [gone, changed])
def test_a_waiting_run_is_shown_decided_and_finished_as_it_was_asked(
    room: Any, happens: Any
) -> None:
    run = asking(room)
    before = room.cards.card(ONE)
    happens(room)
    assert room.cards.card(ONE).ask == before.ask
    assert room.responses.plan(ONE).steps[1].policy.group == "ops"
    room.decide(run)
    assert room.settle(run).state is RunState.DONE
    assert room.lamps.lit == {"a", "b"}


@pytest.mark.parametrize("happens", [gone, changed])
def test_so_is_an_undo(room: Any, happens: Any) -> None:
    asking(room)
    happens(room)
    back = room.responses.undo(ONE, by=ALICE)
    room.settle(back)
    assert room.cards.card(ONE).ask.group == "ops"
    assert room.settle_undo(back).state is RunState.DONE
    assert room.lamps.lit == set()


def test_a_pinned_text_that_somebody_changed_is_on_the_card_and_nobody_is_asked(room: Any) -> None:
    asking(room)
    sql(room, "UPDATE runs SET pinned = replace(pinned, 'lamp.smash', 'lamp.light')")
    card = room.cards.card(ONE)
    assert card.ask is None
    assert card.warning.startswith("TAMPERED")


def test_a_run_of_a_version_that_pinned_nothing_says_what_to_put_back(room: Any) -> None:
    """Its marks are whole, so nobody tampered with it: it is shown, and nobody is asked."""
    run = asking(room)
    with room.store.transaction() as tx:
        tx.runs.save(replace(tx.runs.get(run), pinned="", digest=""))
    gone(room)
    room.attacked = True
    card = room.cards.card(ONE)
    assert card.ask is None
    assert "put it back" in card.failure

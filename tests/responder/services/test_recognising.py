"""A leak of a value that the inventory knows names whose it is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from stanch.responder.domain.ports import Errand
from stanch.responder.lifecycle.inventory.known import Known, shared
from stanch.responder.services.recognising import Recognising
from stanch.responder.services.sureness import Sureness
from stanch.scanner.model.finding import Confidence

KEY = "secret://shop/prod/stripe/api-key"


def entry(*prints: str, reference: str = KEY, **changes: Any) -> Known:
    known = Known(
        reference=reference,
        owner="shop-team",
        service="shop",
        environment="prod",
        tenant="none",
        source="secrets-manager",
        version="1",
        consumers=("sdk:web@host-1",),
        fingerprints=frozenset(prints),
    )
    return replace(known, **changes)


def remember(room: Any, *entries: Known) -> tuple[int, ...]:
    linked: tuple[int, ...] = Recognising(store=room.store).remember(entries, actor="cli:alice")
    return linked


def facts(room: Any, number: int) -> dict[str, str]:
    return dict(room.cards.card(number).facts)


def test_a_leak_of_a_known_value_names_owner_and_consumers(room: Any) -> None:
    match = room.match()
    assert remember(room, entry(match.finding.fingerprint)) == ()
    number = room.take(match).incident
    found = facts(room, number)
    assert found["Is the secret"] == f"{KEY} (owner shop-team; in secrets-manager)"
    assert found["Used by"] == "sdk:web@host-1"
    assert "Is the secret" not in facts(room, room.take().incident)


def test_an_open_incident_is_linked_when_its_value_becomes_known(room: Any) -> None:
    match = room.match()
    number = room.take(match).incident
    assert remember(room, entry(match.finding.fingerprint, owner="")) == (number,)
    assert "(no owner; in secrets-manager)" in facts(room, number)["Is the secret"]
    with room.store.transaction() as tx:
        waiting = [each.subject for each in tx.outbox.waiting(tx.now(), Errand.NOTIFY)]
    assert str(number) in waiting
    # What is known already is neither recorded nor told again; a new owner is.
    before = len(room.recorded())
    assert remember(room, entry(match.finding.fingerprint, owner="")) == ()
    assert len(room.recorded()) == before
    assert remember(room, entry(match.finding.fingerprint)) == (number,)
    assert "owner shop-team" in facts(room, number)["Is the secret"]


def test_a_value_that_was_rotated_away_is_still_recognised_with_its_owner_of_now(
    room: Any,
) -> None:
    match = room.match()
    remember(room, entry(match.finding.fingerprint))
    remember(room, entry("v1:new", version="2", owner="risk"))
    found = facts(room, room.take(match).incident)
    assert found["Is the secret"] == f"{KEY} (owner risk; in secrets-manager)"


def test_a_known_value_is_answered_however_unsure_the_scan_is(room: Any) -> None:
    def sure(match: Any) -> bool:
        return Sureness(store=room.store, runbooks=room.books).sure(match.finding)

    match = room.match(confidence=Confidence.MEDIUM)
    assert not sure(match)
    remember(room, entry(match.finding.fingerprint))
    assert sure(match)
    assert not sure(room.match(confidence=Confidence.MEDIUM))


def test_two_entries_with_one_value_are_found() -> None:
    other = entry("v1:b", "v1:a", reference="secret://risk/prod/stripe/api-key")
    assert shared([entry("v1:a"), other, entry("v1:c", reference="x")]) == ((other.reference, KEY),)

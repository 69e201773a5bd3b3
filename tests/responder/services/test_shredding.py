"""What the vault holds goes when nothing needs it any more, and the record says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from stanch.responder.domain.error import VaultError
from stanch.responder.domain.ids import RunId, SealedRef
from stanch.responder.domain.incident import IncidentState
from stanch.responder.services.shredding import KEPT
from stanch.scanner.model.secret import SecretValue
from tests.responder.conftest import ALICE


def sealed(room: Any, run: RunId) -> tuple[SealedRef, SealedRef]:
    """The leak, and something that the run made."""
    number = room.run(run).incident
    made = room.vault.seal(
        incident=number, name="replacement", parts={"value": SecretValue(b"fresh")}, run=run
    )
    with room.store.transaction() as tx:
        return tx.incidents.get(number).sealed, made.keep(tx)


def set_state(room: Any, run: RunId, state: IncidentState) -> None:
    room.attacked = True  # the record does not know of it
    with room.store.transaction() as tx:
        incident = tx.incidents.get(room.run_of(tx, run))
        tx.incidents.save(replace(incident, state=state, proven_dead_at=tx.now()))


def opens(room: Any, ref: SealedRef) -> bool:
    try:
        room.vault.open(ref, "value", actor="system", purpose="test")
    except VaultError:
        return False
    return True


def test_what_the_run_made_is_gone_once_the_credential_is_proven_dead(room: Any) -> None:
    run = room.begin(room.line("one"))
    leak, made = sealed(room, run)
    set_state(room, run, IncidentState.PROVEN_DEAD)
    room.reconciler.sweep()
    assert opens(room, made), "the run is still at work"
    room.settle(run)
    room.reconciler.sweep()
    assert not opens(room, made)
    assert opens(room, leak)
    assert shredded(room) == {"replacement"}


def shredded(room: Any) -> set[str]:
    """What the record says is gone."""
    with room.store.transaction() as tx:
        entries = tx.ledger.entries()
        return {str(e.event.detail["what"]) for e in entries if e.event.action == "secret.shredded"}


def test_closing_leaves_none_of_the_three_kinds(room: Any) -> None:
    run = room.begin(room.line("one"))
    sealed(room, run)
    probe = room.vault.seal(
        incident=room.run(run).incident,
        name="probe",
        parts={"value": SecretValue(b"session")},
        run=run,
    )
    with room.store.transaction() as tx:
        probe.keep(tx)
    room.settle(run)
    set_state(room, run, IncidentState.CLOSED)
    room.reconciler.sweep()
    assert shredded(room) == {"leak", "probe", "replacement"}
    with room.store.transaction() as tx:
        assert tx.envelopes.incidents() == ()


def test_what_a_run_made_is_gone_once_it_is_taken_back_and_the_leak_stays(room: Any) -> None:
    run = room.begin(room.line("one"))
    leak, made = sealed(room, run)
    room.settle(run)
    undo = room.responses.undo(room.run(run).incident, by=ALICE)
    room.reconciler.sweep()
    assert opens(room, made), "the undo needs it"
    room.settle_undo(undo)
    room.reconciler.sweep()
    assert not opens(room, made)
    assert opens(room, leak)


def test_a_delivered_replacement_is_not_kept_because_nobody_closes(room: Any) -> None:
    """The credential is dead but not proven everywhere, and nothing can be taken back."""
    run = room.begin(room.line("one", "lamp.smash"))
    leak, made = sealed(room, run)
    room.settle(run)
    set_state(room, run, IncidentState.CONTAINED)
    room.clock.move(KEPT - timedelta(hours=1))
    room.reconciler.sweep()
    assert opens(room, made)
    room.clock.move(timedelta(hours=2))
    room.reconciler.sweep()
    assert not opens(room, made)
    assert opens(room, leak), "it may have to be looked at again"


@pytest.mark.parametrize("state", [IncidentState.OPEN, IncidentState.CONTAINED])
def test_what_is_still_needed_stays(room: Any, state: IncidentState) -> None:
    run = room.begin(room.line("one"))
    leak, made = sealed(room, run)
    room.settle(run)
    set_state(room, run, state)
    room.clock.move(KEPT * 2)
    room.reconciler.sweep()
    assert opens(room, leak)
    assert opens(room, made)


def test_after_closing_no_envelope_opens_and_fingerprint_and_preview_stay(room: Any) -> None:
    run = room.begin(room.line("one"))
    leak, made = sealed(room, run)
    room.settle(run)
    set_state(room, run, IncidentState.CLOSED)
    room.reconciler.sweep()
    assert not opens(room, leak)
    assert not opens(room, made)
    found = room.incident(run)
    assert found.fingerprint.startswith("v1:")
    assert found.preview


def test_a_dead_value_that_nobody_closes_is_gone_after_a_while(room: Any) -> None:
    run = room.begin(room.line("one"))
    leak, _ = sealed(room, run)
    room.settle(run)
    set_state(room, run, IncidentState.PROVEN_DEAD)
    room.clock.move(KEPT - timedelta(hours=1))
    room.reconciler.sweep()
    assert opens(room, leak)
    room.clock.move(timedelta(hours=2))
    room.reconciler.sweep()
    assert not opens(room, leak)

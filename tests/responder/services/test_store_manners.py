"""How the store is used: keys are asked outside of transactions, looks take no lock, faults pass.

That the pages look without the lock is shown by `test_parts`: their process has no transactions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from stanch.responder.domain.error import StoreError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.run import RunState
from stanch.responder.engine.attempt import LONGEST_STORE_PAUSE, MAX_TRIES
from stanch.responder.services.delivery import Delivery
from stanch.responder.services.listing import Listing
from stanch.responder.store.sql import SqlStore
from stanch.responder.vault.vault import EnvelopeVault
from stanch.scanner.model.secret import SecretValue


def test_a_far_master_key_is_asked_while_others_write(room: Any) -> None:
    """A transaction inside of another one is refused, so the key is asked outside of any."""
    near = room.vault._master
    asked = []

    class Far:
        name = near.name

        def make(self, context: Mapping[str, str]) -> Any:
            self._others("make")
            return near.make(context)

        def unwrap(self, wrapped: bytes, context: Mapping[str, str]) -> Any:
            self._others("unwrap")
            return near.unwrap(wrapped, context)

        def _others(self, what: str) -> None:
            with room.store.transaction() as tx:
                tx.locks.take("other work", "me", now=tx.now(), until=tx.now())
            asked.append(what)

    vault = EnvelopeVault(room.store, Far())
    sealed = vault.seal(
        incident=IncidentId(1), name="leak", parts={"value": SecretValue(b"born here")}
    )
    with room.store.transaction() as tx:
        ref = sealed.keep(tx)
    vault.entrust(ref, actor="t", purpose="a test")
    assert vault.read(ref, "value").reveal() == b"born here"
    assert vault.open(ref, "value", actor="t", purpose="a test").reveal() == b"born here"
    assert asked == ["make", "unwrap", "unwrap"]


def test_looking_takes_no_writers_lock(room: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    run = room.begin(room.line("a"))
    room.settle(run)
    delivery = Delivery(store=room.store, cards=room.cards, notifiers=())
    number = room.run(run).incident
    delivery.deliver(number)

    def refused(*_: object) -> None:
        raise AssertionError("a look waited for a writer")

    monkeypatch.setattr(SqlStore, "transaction", refused)
    assert room.cards.card(number).incident == number
    rows, left = Listing(store=room.store, cards=room.cards).rows(most=10, closed=True)
    assert (len(rows), left) == (1, 0)
    assert room.reconciler.sweep() == 0
    assert room.executor.advance(run) is None
    delivery.deliver(number)
    assert room.vault.parts("sealed:none") == ()


def test_a_store_that_fails_for_long_ends_no_step(room: Any) -> None:
    away = StoreError("the store is busy", remedy="repeat")
    room.lamps.then("look", "a", *[away] * (2 * MAX_TRIES))
    run = room.begin(room.line("a", "lamp.look"))
    before = room.clock.now
    assert room.settle(run).state is RunState.DONE
    waited = (room.clock.now - before) / (2 * MAX_TRIES)
    assert waited <= LONGEST_STORE_PAUSE

from __future__ import annotations

import pytest

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.card import CardRef
from stanch.responder.domain.error import StoreError
from stanch.responder.domain.ids import ApprovalId, IncidentId, SealedRef
from stanch.responder.domain.ports import Errand, Shown
from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.chain import GENESIS
from stanch.responder.store.sql import SqlStore
from tests.contracts.sample import LEASE, NOW, RUN, approval, begin, envelope, incident


@pytest.fixture
def store(any_store: SqlStore) -> SqlStore:
    """The claims hold for every store."""
    return any_store


def test_an_approval_comes_back_with_its_decision(store: SqlStore) -> None:
    begin(store)
    later = approval(id=ApprovalId("a-0"), asked_at=NOW + LEASE)
    decided = approval(
        decision=Decision.GRANTED, decided_by="bob", decided_at=NOW, via="cli", reason="dead"
    )
    with store.transaction() as tx:
        tx.approvals.add(later)
        tx.approvals.add(approval())
        tx.approvals.save(decided)
        assert tx.approvals.get(ApprovalId("a-1")) == decided
        assert tx.approvals.get(ApprovalId("none")) is None
        assert tx.approvals.of(RUN) == (decided, later)


def test_only_open_approvals_become_overdue(store: SqlStore) -> None:
    begin(store)
    with store.transaction() as tx:
        tx.approvals.add(approval())
        tx.approvals.add(approval(id=ApprovalId("a-2"), decision=Decision.DENIED))
        assert tx.approvals.overdue(NOW) == ()
        assert tx.approvals.overdue(NOW + LEASE) == (approval(),)


def test_an_equal_errand_that_waits_absorbs_another(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.outbox.put(Errand.ADVANCE, "run-1")
        tx.outbox.put(Errand.ADVANCE, "run-1")
        tx.outbox.put(Errand.NOTIFY, "1")
        assert [message.subject for message in tx.outbox.waiting(NOW)] == ["run-1", "1"]
        assert [m.errand for m in tx.outbox.waiting(NOW, Errand.NOTIFY)] == [Errand.NOTIFY]


def test_an_errand_put_again_while_it_was_done_is_not_lost(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.outbox.put(Errand.NOTIFY, "1")
        (read,) = tx.outbox.waiting(NOW)
    with store.transaction() as tx:
        tx.outbox.put(Errand.NOTIFY, "1")
    with store.transaction() as tx:
        tx.outbox.done(read)
        (again,) = tx.outbox.waiting(NOW)
        tx.outbox.done(again)
        assert tx.outbox.waiting(NOW) == ()


def test_a_delayed_errand_counts_its_tries_and_news_makes_it_due(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.outbox.put(Errand.NOTIFY, "1")
        (read,) = tx.outbox.waiting(NOW)
        tx.outbox.later(read, NOW + LEASE)
        assert tx.outbox.waiting(NOW) == ()
        (due,) = tx.outbox.waiting(NOW + LEASE)
        assert due.tries == 1
        tx.outbox.put(Errand.NOTIFY, "1")
        tx.outbox.later(due, NOW + LEASE)  # who read the old wish does not delay the new one
        assert [m.tries for m in tx.outbox.waiting(NOW)] == [1]


def test_a_card_is_remembered_for_each_notifier(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        assert tx.cards.get(IncidentId(1), "slack") == Shown()
        failed = Shown(tries=2, due_at=NOW)
        shown = Shown(ref=CardRef(channel="C1", ts="1.2"), digest="new")
        for each in (failed, shown):
            tx.cards.save(IncidentId(1), "slack", each)
            assert tx.cards.get(IncidentId(1), "slack") == each
        assert tx.cards.get(IncidentId(1), "terminal") == Shown()


def test_ledger_entries_continue_each_other(store: SqlStore) -> None:
    with store.transaction() as tx:
        written = [
            tx.ledger.append(
                Event(
                    at=NOW,
                    actor="system",
                    action="step.done",
                    incident=IncidentId(number % 2) if number % 2 else None,
                    detail={"n": number, "list": [1.5, True, None]},
                )
            )
            for number in range(1, 1203)
        ]
    with store.snapshot() as tx:
        assert list(tx.ledger.entries()) == written
        assert list(tx.ledger.entries(IncidentId(1))) == written[::2]
    assert [entry.seq for entry in written] == list(range(1, 1203))
    assert [entry.previous for entry in written] == [
        GENESIS,
        *(entry.digest for entry in written[:-1]),
    ]
    assert store.head() == written[-1]
    assert store.entry(7) == written[6]
    assert store.entry(9999) is None


def test_envelopes_are_found_by_part_and_by_name_until_shredded(store: SqlStore) -> None:
    ref = SealedRef("sealed:00")
    with store.transaction() as tx:
        tx.envelopes.add(envelope())
        tx.envelopes.add(envelope(part="id"))
        tx.envelopes.add(envelope(ref=SealedRef("sealed:01"), name="leak", run=None))
    with store.transaction() as tx:
        assert tx.envelopes.get(ref, "secret") == envelope()
        assert tx.envelopes.get(ref, "none") is None
        assert tx.envelopes.parts(ref) == ("id", "secret")
        assert tx.envelopes.named(RUN, "replacement") == ref
        assert tx.envelopes.named(RUN, "leak") is None
        assert tx.envelopes.shred(ref) == 2
    with store.transaction() as tx:
        assert tx.envelopes.shred(ref) == 0
        assert tx.envelopes.parts(SealedRef("sealed:01")) == ("secret",)


def test_the_same_part_cannot_be_sealed_twice(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.envelopes.add(envelope())
    with pytest.raises(StoreError, match="contradicts"), store.transaction() as tx:
        tx.envelopes.add(envelope())

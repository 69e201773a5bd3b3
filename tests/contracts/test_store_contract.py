from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from responder.domain.approval import Approval, Decision
from responder.domain.card import CardRef
from responder.domain.error import LeaseLost, StoreError
from responder.domain.ids import ApprovalId, IncidentId, RunId, SealedRef
from responder.domain.incident import Exposure, Incident, IncidentState
from responder.domain.ports import Envelope, Errand
from responder.domain.run import Run, RunKind, RunState, StepRun, StepState
from responder.domain.runbook import Phase
from responder.domain.timeline import Event
from responder.ledger.chain import GENESIS
from responder.store.sql import SqlStore

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=30)
RUN = RunId("run-1")


def incident(number: int = 1, **changes: object) -> Incident:
    base = Incident(
        id=IncidentId(number),
        fingerprint=f"v1:{number:032x}",
        provider="aws",
        kind="access-key",
        preview="AKIA…7Q2M",
        severity="critical",
        state=IncidentState.OPEN,
        sealed=SealedRef("sealed:00"),
        root="shop",
        detected_at=NOW,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def exposure(**changes: object) -> Exposure:
    base = Exposure(
        source="git-history",
        path="deploy/env.sh",
        line=12,
        column=23,
        root="shop",
        commit="c0ffee",
        author="Ann <ann@example.org>",
        exposed_at=NOW - timedelta(days=3),
        found_at=NOW,
        rule="aws-access-key",
        reason="prefix",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def run(number: int = 1, **changes: object) -> Run:
    base = Run(
        id=RunId(f"run-{number}"),
        incident=IncidentId(1),
        kind=RunKind.RESPOND,
        runbook="aws-access-key",
        runbook_version=1,
        state=RunState.RUNNING,
        requester="ann",
        started_at=NOW + timedelta(seconds=number),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def step(name: str = "disable", **changes: object) -> StepRun:
    base = StepRun(
        run=RUN,
        id=name,
        position=1,
        phase=Phase.CONTAIN,
        uses="aws.iam.disable_access_key",
        template={"user": "${owner.user}"},
        after=("classify", "owner"),
        approval=None,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def begin(store: SqlStore, *steps: StepRun) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        tx.runs.add(run(), steps or (step(),))


def test_an_incident_comes_back_as_it_was_saved(store: SqlStore) -> None:
    saved = incident(closed_at=NOW, proven_dead_at=NOW - timedelta(microseconds=1))
    with store.transaction() as tx:
        tx.incidents.add(saved)
    with store.transaction() as tx:
        assert tx.incidents.get(IncidentId(1)) == saved
        assert tx.incidents.by_fingerprint(saved.fingerprint) == saved
        assert tx.incidents.by_fingerprint("v1:none") is None
        assert tx.incidents.get(IncidentId(9)) is None


def test_incidents_are_listed_newest_first_and_by_state(store: SqlStore) -> None:
    with store.transaction() as tx:
        for number in (1, 2, 3):
            tx.incidents.add(incident(number))
        tx.incidents.save(incident(2, state=IncidentState.CLOSED))
        assert [found.id for found in tx.incidents.list()] == [3, 2, 1]
        assert [found.id for found in tx.incidents.list([IncidentState.CLOSED])] == [2]


def test_a_secret_has_one_incident(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
    with pytest.raises(StoreError, match="contradicts"), store.transaction() as tx:
        tx.incidents.add(incident(2, fingerprint=incident().fingerprint))


def test_an_incident_number_is_given_once(store: SqlStore) -> None:
    with store.transaction() as tx:
        first = [tx.incidents.next_id() for _ in range(3)]
    with store.transaction() as tx:
        assert first == [1, 2, 3]
        assert tx.incidents.next_id() == 4


def test_saving_what_somebody_else_changed_is_refused(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        newer = tx.incidents.save(incident(state=IncidentState.CONTAINED))
        assert newer.version == 1
        assert tx.incidents.get(IncidentId(1)) == newer
    with pytest.raises(StoreError, match="LK-1 changed"), store.transaction() as tx:
        tx.incidents.save(incident())


def test_a_place_is_one_exposure_however_often_it_is_seen(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        assert tx.incidents.expose(IncidentId(1), exposure())
        assert not tx.incidents.expose(IncidentId(1), exposure(found_at=NOW + LEASE))
        assert tx.incidents.expose(IncidentId(1), exposure(commit=None))
        assert not tx.incidents.expose(IncidentId(1), exposure(commit=None))


def test_exposures_come_oldest_first(store: SqlStore) -> None:
    known = exposure(line=1)
    unknown = exposure(line=2, exposed_at=None, found_at=NOW - timedelta(days=9))
    with store.transaction() as tx:
        tx.incidents.add(incident())
        tx.incidents.expose(IncidentId(1), known)
        tx.incidents.expose(IncidentId(1), unknown)
        assert tx.incidents.exposures(IncidentId(1)) == (unknown, known)


def test_names_that_are_not_text_are_stored_as_escapes(store: SqlStore) -> None:
    hostile = b"caf\xe9/\xff".decode("utf-8", "surrogateescape") + "\0"
    with store.transaction() as tx:
        tx.incidents.add(incident())
        assert tx.incidents.expose(IncidentId(1), exposure(path=hostile))
        assert not tx.incidents.expose(IncidentId(1), exposure(path=hostile))
        assert tx.incidents.exposures(IncidentId(1))[0].path == "caf\\udce9/\\udcff\\x00"
        tx.ledger.append(
            Event(at=NOW, actor=hostile, action="x.y", incident=None, detail={"path": hostile})
        )
        (entry,) = tx.ledger.entries()
        assert entry.event.detail == {"path": hostile}


def test_a_run_comes_back_with_its_steps_by_position(store: SqlStore) -> None:
    second = step("revoke", position=2, approval="two-people", before={"ü": [1, None, "x"]})
    begin(store, second, step())
    with store.transaction() as tx:
        assert tx.runs.get(RUN) == run()
        assert tx.runs.get(RunId("none")) is None
        assert tx.runs.steps(RUN) == (step(), second)


def test_runs_of_an_incident_come_oldest_first(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        tx.runs.add(run(2), ())
        tx.runs.add(run(1), ())
        tx.runs.save(run(2, state=RunState.DONE, finished_at=NOW))
        assert tx.runs.of(IncidentId(1)) == (
            run(1),
            run(2, state=RunState.DONE, finished_at=NOW),
        )


@pytest.mark.parametrize(
    ("held", "free"),
    [
        (step(state=StepState.PENDING), True),
        (step(state=StepState.BLOCKED), True),
        (step(state=StepState.WAITING, due_at=NOW), True),
        (step(state=StepState.WAITING, due_at=NOW + LEASE), False),
        (step(state=StepState.RUNNING, lease_until=NOW), True),
        (step(state=StepState.RUNNING, lease_until=NOW + LEASE), False),
        (step(state=StepState.DONE), False),
        (step(state=StepState.FAILED), False),
        (step(state=StepState.SKIPPED), False),
    ],
    ids=lambda value: value.state if isinstance(value, StepRun) else None,
)
def test_a_step_is_claimed_exactly_when_it_is_free(
    store: SqlStore, held: StepRun, *, free: bool
) -> None:
    begin(store, replace(held, token=6))
    with store.transaction() as tx:
        # A run whose steps are all over is due too: it has yet to be settled.
        assert tx.runs.due(NOW) == ((RUN,) if free or held.state.over else ())
        claimed = tx.runs.claim(RUN, "disable", now=NOW, lease=LEASE)
    if not free:
        assert claimed is None
        return
    assert claimed == replace(held, token=7, state=StepState.RUNNING, lease_until=NOW + LEASE)


def test_a_step_that_does_not_exist_cannot_be_claimed(store: SqlStore) -> None:
    begin(store)
    with store.transaction() as tx:
        assert tx.runs.claim(RUN, "none", now=NOW, lease=LEASE) is None


def test_a_run_that_is_over_is_not_due(store: SqlStore) -> None:
    begin(store)
    with store.transaction() as tx:
        tx.runs.save(run(state=RunState.ABORTED))
        assert tx.runs.due(NOW) == ()


def test_an_older_token_can_neither_write_nor_renew(store: SqlStore) -> None:
    begin(store)
    with store.transaction() as tx:
        first = tx.runs.claim(RUN, "disable", now=NOW, lease=LEASE)
        assert first is not None
        second = tx.runs.claim(RUN, "disable", now=NOW + LEASE, lease=LEASE)
        assert second is not None
    with pytest.raises(LeaseLost), store.transaction() as tx:
        tx.runs.write(replace(first, state=StepState.DONE))
    with pytest.raises(LeaseLost), store.transaction() as tx:
        tx.runs.renew(first, until=NOW + 9 * LEASE)
    with store.transaction() as tx:
        assert tx.runs.steps(RUN) == (second,)


def test_a_renewed_lease_is_not_shortened_by_a_holder_that_read_the_step_before(
    store: SqlStore,
) -> None:
    begin(store)
    with store.transaction() as tx:
        held = tx.runs.claim(RUN, "disable", now=NOW, lease=LEASE)
        assert held is not None
        tx.runs.renew(held, until=NOW + 5 * LEASE)
        tx.runs.write(replace(held, intended_at=NOW))
        (kept,) = tx.runs.steps(RUN)
        assert kept.lease_until == NOW + 5 * LEASE
        tx.runs.write(replace(held, lease_until=NOW + 6 * LEASE))
        (kept,) = tx.runs.steps(RUN)
        assert kept.lease_until == NOW + 6 * LEASE


def test_a_late_heartbeat_leaves_a_finished_step_alone(store: SqlStore) -> None:
    begin(store)
    with store.transaction() as tx:
        held = tx.runs.claim(RUN, "disable", now=NOW, lease=LEASE)
        assert held is not None
        done = replace(held, state=StepState.DONE, lease_until=None, outputs={"a": 1})
        tx.runs.write(done)
        tx.runs.renew(held, until=NOW + 5 * LEASE)
        assert tx.runs.steps(RUN) == (done,)


def approval(**changes: object) -> Approval:
    base = Approval(
        id=ApprovalId("a-1"),
        incident=IncidentId(1),
        run=RUN,
        step="disable",
        plan_hash="0" * 64,
        policy="two-people",
        group="security",
        requester="ann",
        asked_at=NOW,
        expires_at=NOW + LEASE,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


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


def test_a_delayed_errand_counts_its_tries_and_stays_delayed(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.outbox.put(Errand.NOTIFY, "1")
        (read,) = tx.outbox.waiting(NOW)
        tx.outbox.put(Errand.NOTIFY, "1")
        tx.outbox.later(read, NOW + LEASE)
        tx.outbox.put(Errand.NOTIFY, "1")
        assert tx.outbox.waiting(NOW) == ()
        (due,) = tx.outbox.waiting(NOW + LEASE)
        assert due.tries == 1


def test_a_card_is_remembered_for_each_notifier(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        assert tx.cards.get(IncidentId(1), "slack") is None
        tx.cards.save(IncidentId(1), "slack", CardRef(channel="C1", ts="1.2"), "old")
        tx.cards.save(IncidentId(1), "slack", CardRef(channel="C1", ts="1.2"), "new")
        assert tx.cards.get(IncidentId(1), "slack") == (CardRef(channel="C1", ts="1.2"), "new")
        assert tx.cards.get(IncidentId(1), "terminal") is None


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


def envelope(**changes: object) -> Envelope:
    base = Envelope(
        ref=SealedRef("sealed:00"),
        part="secret",
        incident=IncidentId(1),
        name="replacement",
        run=RUN,
        master_key="local:0",
        wrapped_key=b"\x00\xff",
        nonce=b"n" * 12,
        ciphertext=bytes(range(256)),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


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


def test_an_exception_takes_everything_back(store: SqlStore) -> None:
    def fail() -> None:
        with store.transaction() as tx:
            tx.incidents.add(incident())
            tx.outbox.put(Errand.NOTIFY, "1")
            tx.ledger.append(Event(at=NOW, actor="a", action="b.c", incident=None, detail={}))
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    with store.transaction() as tx:
        assert tx.incidents.list() == ()
        assert tx.outbox.waiting(NOW) == ()
        assert list(tx.ledger.entries()) == []


def test_a_transaction_inside_another_is_refused_at_once(store: SqlStore) -> None:
    with (
        pytest.raises(RuntimeError, match="pass it on"),
        store.transaction(),
        store.transaction(),
    ):
        pass
    with store.transaction() as tx:
        assert tx.incidents.list() == ()


def test_a_snapshot_sees_one_moment_and_cannot_write(store: SqlStore) -> None:
    with store.snapshot() as tx:
        assert tx.incidents.list() == ()
        with store.transaction() as writer:
            writer.incidents.add(incident())
        assert tx.incidents.list() == ()
    with pytest.raises(StoreError), store.snapshot() as tx:
        tx.incidents.add(incident(2))
    with store.transaction() as tx:
        tx.incidents.add(incident(2))


def test_a_naive_time_is_a_programming_error(store: SqlStore) -> None:
    with pytest.raises(Exception, match="time zone"), store.transaction() as tx:
        tx.runs.due(NOW.replace(tzinfo=None))
    with store.transaction() as tx:
        assert tx.now().tzinfo is UTC

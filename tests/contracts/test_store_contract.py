from __future__ import annotations

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from stanch.responder.domain.error import LeaseLost, StoreError
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunState, StepRun, StepState
from stanch.responder.domain.timeline import Event
from stanch.responder.store.sql import SqlStore
from tests.contracts.sample import LEASE, NOW, RUN, begin, exposure, incident, run, step


@pytest.fixture
def store(any_store: SqlStore) -> SqlStore:
    """The claims hold for every store."""
    return any_store


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
        tx.runs.save(run(2, state=RunState.DONE, finished_at=NOW))
        tx.runs.add(run(1), ())
        assert tx.runs.active(IncidentId(1)) == run(1)
        assert tx.runs.of(IncidentId(1)) == (
            run(1),
            run(2, state=RunState.DONE, finished_at=NOW),
        )


def test_open_runs_are_those_of_every_incident_that_are_not_over(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        tx.incidents.add(incident(id=IncidentId(2), fingerprint="v1:2"))
        assert tx.runs.open() == ()
        tx.runs.add(run(3, incident=IncidentId(2)), ())
        tx.runs.add(run(2), ())
        tx.runs.save(run(2, state=RunState.DONE, finished_at=NOW))
        tx.runs.add(run(1, state=RunState.PAUSED), ())
        assert tx.runs.open() == (run(1, state=RunState.PAUSED), run(3, incident=IncidentId(2)))


def test_a_second_run_that_is_not_over_is_refused(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        tx.runs.add(run(1), ())
    with pytest.raises(StoreError, match="contradicts"), store.transaction() as tx:
        tx.runs.add(run(2), ())


def test_a_fenced_step_takes_no_word_of_its_holder(store: SqlStore) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        tx.runs.add(run(1), (step(state=StepState.RUNNING, lease_until=NOW + LEASE),))
        (held,) = tx.runs.held(NOW)
        assert tx.runs.fence(held).token == held.token + 1
        with pytest.raises(LeaseLost):
            tx.runs.write(held)
        with pytest.raises(LeaseLost):
            tx.runs.renew(held, until=NOW)
        assert tx.runs.held(NOW + LEASE) == ()


def test_a_lock_is_one_owners_until_it_is_given_back_or_ends(store: SqlStore) -> None:
    with store.transaction() as tx:
        assert tx.locks.take("card:1", "one", now=NOW, until=NOW + LEASE)
        assert tx.locks.take("card:1", "one", now=NOW, until=NOW + LEASE)
        assert not tx.locks.take("card:1", "two", now=NOW, until=NOW + LEASE)
        assert tx.locks.held(NOW) == {"card:1": "one"}
        tx.locks.free("card:1", "two")
        assert not tx.locks.take("card:1", "two", now=NOW, until=NOW + LEASE)
        assert tx.locks.take("card:1", "two", now=NOW + LEASE, until=NOW + 2 * LEASE)
        tx.locks.free("card:1", "two")
        assert tx.locks.held(NOW) == {}


def test_turns_with_one_thing_follow_on_each_other_however_many_ask(store: SqlStore) -> None:
    with store.transaction() as tx:
        assert tx.paces.spend("aws 111", LEASE, NOW) == NOW
        assert tx.paces.spend("aws 222", LEASE, NOW) == NOW
    with store.transaction() as tx:
        assert tx.paces.spend("aws 111", LEASE, NOW) == NOW + LEASE
        later = NOW + 5 * LEASE
        assert tx.paces.spend("aws 111", LEASE, later) == later  # what was not used is not saved up


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


def test_a_snapshot_sees_one_moment_and_cannot_write(sql_store: SqlStore) -> None:
    store = sql_store
    with store.snapshot() as tx:
        assert tx.incidents.list() == ()
        with store.transaction() as writer:
            writer.incidents.add(incident())
        assert tx.incidents.list() == ()
    with pytest.raises(StoreError), store.snapshot() as tx:
        tx.incidents.add(incident(2))
    with store.transaction() as tx:
        tx.incidents.add(incident(2))


def test_a_naive_time_is_a_programming_error(sql_store: SqlStore) -> None:
    store = sql_store
    with pytest.raises(Exception, match="time zone"), store.transaction() as tx:
        tx.runs.due(NOW.replace(tzinfo=None))
    with store.transaction() as tx:
        assert tx.now().tzinfo is UTC

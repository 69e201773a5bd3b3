# ruff: noqa: S608  # the attacker writes SQL
"""Whoever writes to the database without the ledger's key moves nothing, and it is said."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from stanch.responder.domain.caller import Caller
from stanch.responder.domain.error import ApprovalRefused, Tampered
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.run import RunState, StepState
from stanch.responder.domain.runbook import Phase, Silence
from stanch.responder.services.integrity import all_discrepancies, discrepancies
from tests.responder.conftest import ALICE, BOB

GRANT = "UPDATE approvals SET decision='granted', decided_by='bob', decided_at=asked_at"


def sql(room: Any, *statements: str) -> None:
    room.attacked = True
    with room.store.engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement))


def asking(room: Any, silence: Silence = Silence.HOLD) -> RunId:
    """A run that waits for a word before it smashes the second lamp."""
    run: RunId = room.begin(
        room.line("hold"),
        room.line("smash", "lamp.smash", after=("hold",), approval="second", phase=Phase.REVOKE),
        room.line("last", after=("smash",), phase=Phase.AUDIT),
        silence=silence,
    )
    assert room.settle(run).state is RunState.WAITING_APPROVAL
    return run


def copy_row(table: str, where: str, **changed: str) -> Callable[[Any, RunId], None]:
    """Insert a copy of a row in which some columns hold something else (SQL)."""

    def attack(room: Any, run: RunId) -> None:
        room.attacked = True
        with room.store.engine.begin() as connection:
            names = [r[1] for r in connection.execute(text(f"PRAGMA table_info({table})"))]
            given = {k: v.format(run=run) for k, v in changed.items()}
            columns = ", ".join(f'"{n}"' for n in names)
            taken = ", ".join(given.get(n, f'"{n}"') for n in names)
            source = where.format(run=run)
            connection.execute(
                text(f"INSERT INTO {table} ({columns}) SELECT {taken} FROM {table} WHERE {source}")
            )

    return attack


def change(*statements: str) -> Callable[[Any, RunId], None]:
    def attack(room: Any, run: RunId) -> None:
        sql(room, *(s.replace("RUN", run) for s in statements))

    return attack


def put_back(room: Any, **tables: list[dict[str, Any]]) -> None:
    """Rows as they were, each with the mark that it had then."""
    for table, old in tables.items():
        for row in old:
            pairs = ", ".join(f'"{name}" = :{name}' for name in row)
            key = "id = :id" + (" AND run = :run" if table == "steps" else "")
            with room.store.engine.begin() as connection:
                connection.execute(text(f"UPDATE {table} SET {pairs} WHERE {key}"), row)


STEP = "run = '{run}' AND id = 'smash'"
ATTACKS: dict[str, Callable[[Any, RunId], None]] = {
    "granted": change(GRANT),
    "a trigger that grants": change(
        "CREATE TRIGGER t AFTER UPDATE ON runs BEGIN " + GRANT + "; END",
        "UPDATE runs SET state = 'running'",
    ),
    "no approval": change("UPDATE steps SET approval = NULL, state = 'pending' WHERE id = 'smash'"),
    "another act": change("UPDATE steps SET uses = 'lamp.light', approval = NULL WHERE id='smash'"),
    "another target": change(
        "UPDATE steps SET template = '{\"lamp\":\"other\"}' WHERE id = 'smash'"
    ),
    "no dependency": change("UPDATE steps SET after = '[]', state='pending' WHERE id = 'last'"),
    "a step more": copy_row("steps", STEP, id="'more'", approval="NULL", state="'pending'"),
    "an element more": copy_row("steps", STEP, id="'smash[x]'", approval="NULL", state="'pending'"),
    "forged outputs": change(
        "UPDATE steps SET outputs = '{\"seen\":\"other\"}' WHERE id = 'hold'",
        "UPDATE steps SET state = 'pending', after = '[]' WHERE id = 'last'",
    ),
    "done without being done": change(
        "UPDATE steps SET state = 'done' WHERE id = 'smash'", "UPDATE runs SET state = 'running'"
    ),
    "another incident": change("UPDATE incidents SET preview = 'acme…XXXX'", GRANT),
}


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS)
def test_forged_rows_reach_no_world_and_fail_the_run_where_people_see_it(
    room: Any, attack: Callable[[Any, RunId], None]
) -> None:
    run = asking(room)
    before = list(room.lamps.calls)
    attack(room, run)
    sql(room, f"UPDATE runs SET state = 'running' WHERE id = '{run}'")
    room.settle(run)
    assert room.lamps.calls == before, "the world was called"
    assert room.run(run).state is RunState.FAILED
    card = room.card(run)
    assert "TAMPERED" in (card.failure or "")
    assert "TAMPERED" in (card.warning or "")
    with room.store.snapshot() as tx:
        assert all_discrepancies(tx)


def test_an_inserted_run_calls_nobody(room: Any) -> None:
    """Not even after a real one: its rows carry no mark and it was never started."""
    run = asking(room)
    room.decide(run, granted=False)
    room.settle(run)
    before = list(room.lamps.calls)
    new = "'ff00'"
    copy_row("runs", "id = '{run}'", id=new, state="'running'", finished_at="NULL")(room, run)
    copy_row("steps", STEP, run=new, approval="NULL", state="'pending'", after="'[]'")(room, run)
    room.settle(RunId("ff00"))
    assert room.lamps.calls == before
    assert room.run(RunId("ff00")).state is RunState.FAILED
    assert "TAMPERED" in (room.card(run).warning or "")


@pytest.mark.parametrize("word", ["cancel", "pause"])
def test_a_row_from_before_a_persons_word_does_not_take_it_back(room: Any, word: str) -> None:
    """The old row carries a genuine mark; the record knows better."""
    run = room.begin(room.line("one"), room.line("two", after=("one",)))
    room.attacked = True
    with room.store.engine.begin() as connection:
        rows = [dict(r._mapping) for r in connection.execute(text("SELECT * FROM runs"))]
        steps = [dict(r._mapping) for r in connection.execute(text("SELECT * FROM steps"))]
    getattr(room.responses, word)(room.run(run).incident, by=BOB)
    put_back(room, steps=steps, runs=rows)
    room.settle(run)
    assert room.lamps.acts() == []
    assert "TAMPERED" in (room.card(run).failure or "")


@pytest.mark.parametrize("word", ["cancel", "pause"])
def test_a_persons_word_that_is_taken_out_of_the_record_counts_all_the_same(
    room: Any, word: str
) -> None:
    """Old rows with genuine marks, and the entry that knows better deleted with them."""
    run = room.begin(room.line("one"), room.line("two", after=("one",)))
    room.attacked = True
    with room.store.engine.begin() as connection:
        rows = [dict(r._mapping) for r in connection.execute(text("SELECT * FROM runs"))]
        steps = [dict(r._mapping) for r in connection.execute(text("SELECT * FROM steps"))]
    getattr(room.responses, word)(room.run(run).incident, by=BOB)
    room.take()  # life goes on: the entry is not the last
    sql(room, f"DELETE FROM ledger WHERE action LIKE 'run.{word}%'")
    put_back(room, steps=steps, runs=rows)
    room.settle(run)
    assert room.lamps.acts() == []
    assert "are gone" in (room.card(run).failure or "")


def test_a_refusal_that_was_put_back_to_open_cannot_be_granted(room: Any) -> None:
    run = asking(room)
    room.attacked = True
    with room.store.engine.begin() as connection:
        row = dict(connection.execute(text("SELECT * FROM approvals")).one()._mapping)
    room.decide(run, granted=False)
    pairs = ", ".join(f'"{name}" = :{name}' for name in row)
    with room.store.engine.begin() as connection:
        connection.execute(text(f"UPDATE approvals SET {pairs}"), row)
    with pytest.raises(Tampered, match="denied on the record"):
        room.decide(run)
    assert room.lamps.acts() == ["hold"]


def test_nobody_decides_on_a_question_whose_group_was_changed(room: Any) -> None:
    run = asking(room)
    sql(room, "UPDATE approvals SET \"group\" = 'sales'")
    with pytest.raises(Tampered):
        room.decide(run, "carol")
    assert room.lamps.acts() == ["hold"]


def test_a_forged_entry_grants_nothing(room: Any) -> None:
    run = asking(room)
    approval = room.asked(run)[-1]
    sql(room, GRANT)
    with room.store.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO ledger SELECT (SELECT max(seq) + 1 FROM ledger), at, 'cli:bob', "
                "'approval.granted', incident, detail, digest, digest, mac FROM ledger "
                f"WHERE detail LIKE '%{approval.id}%' LIMIT 1"
            )
        )
    sql(room, "UPDATE runs SET state = 'running'")
    room.advance(run)
    assert room.lamps.acts() == ["hold"]
    assert room.run(run).state is RunState.FAILED


def test_writing_over_a_forged_row_does_not_make_it_ours(room: Any) -> None:
    run = asking(room)
    sql(room, "UPDATE incidents SET severity = 'low'")
    with room.store.transaction() as tx:
        tx.incidents.save(tx.incidents.get(room.run_of(tx, run)))
    with room.store.snapshot() as tx:
        assert any("incidents" in each for each in all_discrepancies(tx))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approvals SET decided_by = 'carol'",
        "UPDATE steps SET evidence = '{\"lit\":\"moon\"}' WHERE id = 'hold'",
        "DELETE FROM exposures",
        "UPDATE exposures SET path = 'elsewhere'",
        "UPDATE incidents SET state = 'proven-dead', proven_dead_at = detected_at",
        "DELETE FROM approvals",
        "UPDATE runs SET requester = 'carol'",
    ],
)
def test_every_row_that_says_something_else_than_the_record_is_named(
    room: Any, statement: str
) -> None:
    run = asking(room)
    room.decide(run)
    room.settle(run)
    number = room.run(run).incident
    with room.store.snapshot() as tx:
        assert discrepancies(tx, number) == ()
    sql(room, statement)
    with room.store.snapshot() as tx:
        assert discrepancies(tx, number)
    assert "TAMPERED" in (room.card(run).warning or "")


def test_silence_void_and_expiry_are_entries_before_the_act(room: Any) -> None:
    run = asking(room, silence=Silence.PROCEED)
    room.clock.move(timedelta(minutes=11))
    room.settle(run)
    told = [action for action, step in room.recorded() if step == "smash"]
    acted = told.index("step.acted")
    assert [a for a in told[:acted] if a.startswith("approval.")] == [
        "approval.asked",
        "approval.expired",
        "approval.consented",
    ]


def test_a_question_that_nobody_can_answer_any_more_is_void_on_the_record(room: Any) -> None:
    run = asking(room)
    room.responses.cancel(room.run(run).incident, by=BOB)
    assert room.recorded("approval.void") == [("approval.void", "smash")]


def test_an_approval_of_a_run_that_had_ended_takes_it_up_on_the_record(room: Any) -> None:
    run = room.begin(
        room.line("smash", "lamp.smash", approval="second", phase=Phase.REVOKE),
        room.line("other", "lamp.smash", approval="second", phase=Phase.REVOKE),
    )
    room.settle(run)
    first, second = room.asked(run)
    room.approvals.decide(first.id, by=BOB, granted=False, reason="not this one")
    room.settle(run)
    room.approvals.decide(second.id, by=BOB, granted=True, reason="but this one")
    room.settle(run)
    assert room.lamps.acts() == [second.step]
    assert room.steps(run)[first.step].state is StepState.SKIPPED


def test_a_person_who_is_refused_changes_nothing(room: Any) -> None:
    run = asking(room)
    with pytest.raises(ApprovalRefused):
        room.decide(run, ALICE.name)
    with pytest.raises(ApprovalRefused):
        room.approvals.decide(
            room.asked(run)[-1].id,
            by=Caller(name="mallory", door="cli"),
            granted=True,
            reason="because I may",
        )
    with room.store.snapshot() as tx:
        assert all_discrepancies(tx) == ()

from __future__ import annotations

from dataclasses import fields
from importlib.resources import files

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Table, inspect, text

from stanch.responder.domain.approval import Approval
from stanch.responder.domain.error import StoreError
from stanch.responder.domain.incident import Exposure, Incident
from stanch.responder.domain.ports import Envelope, Message
from stanch.responder.domain.run import Run, StepRun
from stanch.responder.domain.timeline import Event
from stanch.responder.domain.watched import Delivery, Source, Suspicion
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store import table
from stanch.responder.store.database import connect
from stanch.responder.store.row import Record
from stanch.responder.store.schema import HEAD, VERSION_TABLE
from stanch.responder.store.sql import open_store


def test_the_migrations_build_the_tables_that_the_code_uses(
    empty_url: str, seal: LedgerSeal
) -> None:
    with open_store(empty_url, seal=seal) as store, store.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True}
        )
        assert compare_metadata(context, table.metadata) == []


def test_the_newest_migration_is_the_one_that_the_code_expects() -> None:
    config = Config()
    config.set_main_option("script_location", str(files("stanch.responder.store") / "migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


@pytest.mark.parametrize(
    ("record", "where"),
    [
        (Incident, table.incidents),
        (Exposure, table.exposures),
        (Run, table.runs),
        (StepRun, table.steps),
        (Approval, table.approvals),
        (Message, table.outbox),
        (Envelope, table.envelopes),
        (Event, table.ledger),
        (Source, table.sources),
        (Delivery, table.deliveries),
        (Suspicion, table.suspicions),
    ],
    ids=lambda value: getattr(value, "__name__", None) or value.name,
)
def test_every_field_of_a_record_has_its_column(record: type[Record], where: Table) -> None:
    assert {field.name for field in fields(record)} <= set(where.columns.keys())


def test_a_store_can_be_opened_again(url: str, seal: LedgerSeal) -> None:
    for expected in (1, 2):
        with open_store(url, seal=seal) as store, store.transaction() as tx:
            assert tx.incidents.next_id() == expected


def test_a_store_with_a_newer_schema_is_refused_and_left_alone(
    empty_url: str, seal: LedgerSeal
) -> None:
    url = empty_url
    with open_store(url, seal=seal) as store, store.engine.connect() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0999'"))  # noqa: S608  # our constant
        connection.commit()
    with pytest.raises(StoreError, match=f"schema 0999, this stanch knows up to {HEAD}") as caught:
        open_store(url, seal=seal)
    assert "newer stanch" in caught.value.remedy
    assert caught.value.exit_code == 2


def test_a_database_of_something_else_is_refused_and_left_alone(
    empty_url: str, seal: LedgerSeal
) -> None:

    database = connect(empty_url)
    try:
        with database.writing() as connection:
            connection.execute(text("CREATE TABLE customers (id integer)"))
        with pytest.raises(StoreError, match="not a stanch store"):
            open_store(empty_url, seal=seal)
        assert inspect(database.engine).get_table_names() == ["customers"]
    finally:
        database.close()


def test_a_process_that_runs_while_others_migrate_writes_no_more_and_says_why(
    empty_url: str, seal: LedgerSeal
) -> None:
    with open_store(empty_url, seal=seal) as store:
        with store.transaction() as tx:
            before = tx.incidents.next_id()
        with store.engine.begin() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))  # noqa: S608  # a constant
        with (
            pytest.raises(StoreError, match="was migrated to schema 9999") as refused,
            store.transaction() as tx,
        ):
            tx.incidents.next_id()
        assert "restart this process" in refused.value.remedy
        with store.engine.begin() as connection:
            connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{HEAD}'"))  # noqa: S608  # a constant
        with store.transaction() as tx:
            assert tx.incidents.next_id() > before

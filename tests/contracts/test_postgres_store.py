from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg import sql

from stanch.responder.domain.error import StoreError
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.sql import SqlStore, open_store

if TYPE_CHECKING:
    from tests.contracts.conftest import Server

pytestmark = pytest.mark.xdist_group("postgres")
PAST = datetime(2001, 1, 1, tzinfo=UTC)


@pytest.fixture
def database(migrated: Server) -> str:
    name = f"team_{os.urandom(6).hex()}"
    migrated.create(name, "stanch")
    return name


@pytest.fixture
def store(migrated: Server, database: str, seal: LedgerSeal) -> Iterator[SqlStore]:
    with open_store(migrated.url(database), seal=seal, clock=lambda: PAST) as opened:
        yield opened


def end_sessions(server: Server, database: str) -> None:
    server.run(
        sql.SQL("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = {}").format(
            sql.Literal(database)
        )
    )


def test_the_time_is_the_servers_and_moves_within_a_transaction(
    migrated: Server, store: SqlStore
) -> None:
    with psycopg.connect(migrated.url("postgres")) as connection:
        row = connection.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    with store.transaction() as tx:
        first, second = tx.now(), tx.now()
    assert row[0] < first < second < row[0] + timedelta(minutes=1)
    assert first.tzinfo is UTC


def test_a_server_that_was_away_between_transactions_is_not_noticed(
    migrated: Server, database: str, store: SqlStore
) -> None:
    with store.transaction() as tx:
        assert tx.incidents.next_id() == 1
    end_sessions(migrated, database)
    with store.transaction() as tx:
        assert tx.incidents.next_id() == 2


def test_a_server_that_goes_away_takes_the_transaction_back(
    migrated: Server, database: str, store: SqlStore
) -> None:
    def interrupted() -> None:
        with store.transaction() as tx:
            tx.incidents.next_id()
            end_sessions(migrated, database)
            tx.incidents.next_id()

    with pytest.raises(StoreError, match="cannot be used") as caught:
        interrupted()
    assert caught.value.remedy
    with store.transaction() as tx:
        assert tx.incidents.next_id() == 1


def test_more_threads_than_the_pool_keeps_are_served_at_once(store: SqlStore) -> None:
    """Who waits for a connection lets a lease lapse."""
    with ExitStack() as opened:
        for _ in range(20):  # more than SQLAlchemy's own limit
            tx = opened.enter_context(store.snapshot())
            assert tx.incidents.list() == ()

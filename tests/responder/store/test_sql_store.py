from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.responder.domain.error import LedgerError, StoreError
from stanch.responder.domain.timeline import Event
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.sql import SqlStore, open_store
from stanch.scanner.model.secret import SecretValue

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def seal() -> LedgerSeal:
    return LedgerSeal(SecretValue(os.urandom(32)))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "store" / "stanch.db"


@pytest.fixture
def store(path: Path, seal: LedgerSeal) -> Iterator[SqlStore]:
    with open_store(f"sqlite:///{path}", seal=seal, clock=lambda: NOW) as opened:
        yield opened


def test_the_files_belong_to_their_owner_alone(store: SqlStore, path: Path) -> None:
    with store.transaction() as tx:
        tx.incidents.next_id()
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()}
    assert modes == dict.fromkeys(("stanch.db", "stanch.db-wal", "stanch.db-shm"), 0o600)


def test_the_given_clock_is_the_time(store: SqlStore) -> None:
    with store.transaction() as tx:
        assert tx.now() == NOW


def test_a_commit_is_durable_and_keys_are_enforced(store: SqlStore) -> None:
    with store.engine.connect() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
            for name in ("journal_mode", "synchronous", "foreign_keys", "secure_delete")
        }
    assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "secure_delete": 1}


def test_a_closed_store_leaves_one_file(path: Path, seal: LedgerSeal) -> None:
    with open_store(f"sqlite:///{path}", seal=seal) as store, store.transaction() as tx:
        tx.incidents.next_id()
    assert [entry.name for entry in path.parent.iterdir()] == ["stanch.db"]


def test_a_reader_does_not_wait_for_a_writer(store: SqlStore) -> None:
    with store.transaction() as tx, store.snapshot() as other:
        tx.incidents.next_id()
        assert list(other.ledger.entries()) == []
        assert store.head() is None


def test_another_thread_waits_for_its_turn(store: SqlStore) -> None:
    order = []

    def wait() -> None:
        with store.transaction():
            order.append("second")

    with store.transaction():
        thread = threading.Thread(target=wait)
        thread.start()
        time.sleep(0.02)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


# In a process of its own: this one has threads, which a fork would not take along.
FORKING = """
import os, sys
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.sql import open_store
from stanch.scanner.model.secret import SecretValue

with open_store(sys.argv[1], seal=LedgerSeal(SecretValue(bytes(32)))) as store:
    for expected in (1, 2, 3):
        child = os.fork() if expected == 2 else 0
        if child:
            print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
            continue
        with store.transaction() as tx:
            print(tx.incidents.next_id() == expected, flush=True)
        if expected == 2:
            os._exit(7)
"""


def test_a_forked_child_uses_connections_of_its_own(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FORKING, f"sqlite:///{path}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["True", "True", "7", "True"]


REFUSED = {
    "no URL": ("stanch.db", "cannot be understood"),
    "in memory": ("sqlite:///:memory:", "cannot live in"),
    "no path": ("sqlite://", "cannot live in"),
    "another kind": ("mysql://host/db", "cannot live in 'mysql'"),
    "nobody listens": ("postgresql://stanch@127.0.0.1:1/stanch", "cannot be used"),
    "no such socket": ("postgresql:///stanch?host=/nonexistent", "cannot be used"),
}


@pytest.mark.parametrize(("url", "message"), REFUSED.values(), ids=REFUSED)
def test_a_store_that_cannot_be_opened_is_one_message_with_a_remedy(
    seal: LedgerSeal, url: str, message: str
) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        open_store(url, seal=seal)
    assert caught.value.remedy
    assert caught.value.exit_code == 2


def test_no_message_repeats_the_password(seal: LedgerSeal) -> None:
    password = os.urandom(8).hex()
    for url in (
        f"postgresql://ann:{password}@127.0.0.1:1/stanch",
        f"postgresql://ann:{password}@[broken/stanch",
    ):
        with pytest.raises(StoreError) as caught:
            open_store(url, seal=seal)
        assert password not in f"{caught.value} {caught.value.remedy}"
        assert caught.value.__cause__ is None


def test_a_file_that_is_no_database_is_refused_and_kept(path: Path, seal: LedgerSeal) -> None:
    path.parent.mkdir()
    path.write_bytes(b"dear diary\n" * 200)
    with pytest.raises(StoreError, match="not a database"):
        open_store(f"sqlite:///{path}", seal=seal)
    assert path.read_bytes() == b"dear diary\n" * 200


def test_a_directory_is_not_a_store(tmp_path: Path, seal: LedgerSeal) -> None:
    with pytest.raises(StoreError, match="cannot be opened"):
        open_store(f"sqlite:///{tmp_path}", seal=seal)


def test_a_full_disk_refuses_the_change_and_keeps_what_was_committed(
    store: SqlStore, path: Path
) -> None:
    def fill() -> None:
        with store.transaction() as tx:
            for _ in range(2000):
                tx.ledger.append(
                    Event(at=NOW, actor="a" * 400, action="b.c", incident=None, detail={})
                )

    with store.transaction() as tx:
        kept = tx.ledger.append(Event(at=NOW, actor="a", action="b.c", incident=None, detail={}))
    with store.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 4}")
    with pytest.raises(LedgerError, match="cannot be recorded"):
        fill()
    assert store.head() == kept
    with closing(sqlite3.connect(path)) as reader:
        assert reader.execute("PRAGMA integrity_check").fetchone() == ("ok",)

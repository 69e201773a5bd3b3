"""SQLite: the embedded store, one file."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from stanch.responder.domain.error import StoreError
from stanch.responder.keys.folder import close_file

_PATIENCE = 30.0  # seconds a writer waits for the others
_SHORT_PATIENCE = 50  # milliseconds


class Sqlite:
    """The ``Database`` in a file: WAL, durable at every commit, writers queued."""

    def __init__(self, url: URL, *, create: bool = True) -> None:
        self._path = Path(url.database or "")
        self.name = str(self._path)
        if create:
            _create(self._path)
        elif not self._path.is_file():
            raise StoreError(
                f"there is no store at {self._path} yet",
                remedy="`stanch incidents` makes it; or correct [store] url",
            )
        self.engine: Engine = create_engine(
            url.set(drivername="sqlite+pysqlite"),
            pool_size=8,
            max_overflow=-1,
            hide_parameters=True,
            connect_args={"timeout": _PATIENCE, "check_same_thread": False},
        )
        event.listen(self.engine, "connect", _prepare)
        # Within the process writers queue here: SQLite's own queue sleeps and is not fair.
        self._gate = threading.Lock()
        self._pid = os.getpid()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """``BEGIN IMMEDIATE``: what is read stays true until the commit."""
        self._survive_fork()
        if not self._gate.acquire(timeout=_PATIENCE):
            raise StoreError(
                f"the store {self.name} is busy",
                remedy="another thread has kept a transaction open for long; repeat",
            )
        try:
            with self.engine.connect() as connection:
                connection.exec_driver_sql("BEGIN IMMEDIATE")
                yield connection
                connection.commit()
        finally:
            self._gate.release()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A WAL snapshot, which writers neither see nor wait for."""
        self._survive_fork()
        with self.engine.connect() as connection:
            connection.exec_driver_sql("PRAGMA query_only = ON")
            connection.exec_driver_sql("BEGIN")
            try:
                yield connection
            finally:
                connection.rollback()
                connection.exec_driver_sql("PRAGMA query_only = OFF")

    def now(self, connection: Connection) -> datetime | None:
        """SQLite runs in our process and has no time of its own."""
        del connection
        return None

    def intruders(self, connection: Connection) -> tuple[str, ...]:
        """Triggers and views."""
        found = connection.exec_driver_sql(
            "SELECT type, name, tbl_name FROM sqlite_master WHERE type IN ('trigger', 'view')"
        )
        return tuple(f"{kind} {name} on {table}" for kind, name, table in found)

    def excess(self, connection: Connection) -> tuple[str, ...]:
        """A file has no roles; its mode is looked at with the other files."""
        del connection
        return ()

    def close_to_others(self) -> None:
        """A file that others could read, by a copy or a restored backup, is closed again."""
        for suffix in ("", "-wal", "-shm"):
            close_file(self._path.with_name(self._path.name + suffix))

    def scrub(self) -> None:
        """Empty the write-ahead log: ``secure_delete`` zeroes pages, the log keeps old ones.

        Not while somebody reads an older view: waiting would stop every writer, so then the log
        keeps them until the next scrubbing or until the store is closed.
        """
        with self.engine.connect() as connection:
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {_SHORT_PATIENCE}")
            connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(_PATIENCE * 1000)}")

    def close(self) -> None:
        """Close every connection; the last one folds the log into the file."""
        self.engine.dispose()

    def _survive_fork(self) -> None:
        # https://www.sqlite.org/howtocorrupt.html §2.6: a connection must not cross a fork.
        if self._pid != os.getpid():
            self.engine.dispose(close=False)
            self._gate = threading.Lock()
            self._pid = os.getpid()


def _create(path: Path) -> None:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives the log and the shared memory the mode of this file.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreError(
            f"the store {path} cannot be opened: {error.strerror}",
            remedy="name a file in a directory that this user may write",
        ) from None


def _prepare(connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    del record
    # None: the driver begins nothing by itself; `writing` and `reading` say which kind they want.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        for pragma in (
            "journal_mode = WAL",
            "synchronous = FULL",  # an intent must survive a power loss before the act
            "foreign_keys = ON",
            "secure_delete = ON",
            f"busy_timeout = {int(_PATIENCE * 1000)}",
        ):
            cursor.execute(f"PRAGMA {pragma}")
    finally:
        cursor.close()

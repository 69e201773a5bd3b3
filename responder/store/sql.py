"""The store: one writer at a time, on SQLite and on PostgreSQL alike."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

from sqlalchemy import Connection, Engine, exc

from stanch.responder.domain.error import StoreError
from stanch.responder.domain.ports import (
    Approvals,
    Cards,
    Envelopes,
    Incidents,
    Integrity,
    Ledger,
    Locks,
    Outbox,
    Paces,
    Runs,
)
from stanch.responder.domain.timeline import Entry, Event
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.approval import SqlApprovals
from stanch.responder.store.card import SqlCards
from stanch.responder.store.database import Database, connect
from stanch.responder.store.envelope import SqlEnvelopes
from stanch.responder.store.fleet import SqlFleets
from stanch.responder.store.heartbeat import SqlHeartbeats
from stanch.responder.store.incident import SqlIncidents
from stanch.responder.store.ledger import SqlLedger
from stanch.responder.store.lock import SqlLocks
from stanch.responder.store.mark import SqlIntegrity, adopt, unmarked
from stanch.responder.store.outbox import SqlOutbox
from stanch.responder.store.pace import SqlPaces
from stanch.responder.store.run import SqlRuns
from stanch.responder.store.schema import HEAD, current, migrate, require_head
from stanch.responder.store.source import SqlSources

ADOPTED = "store.adopted"
_MARKED_SINCE = frozenset({ADOPTED, "anchor.begun", "people.sealed"})
_FORBIDDEN = "42501"  # insufficient_privilege


class SqlTransaction:
    """The port ``Transaction``: every repository over one connection."""

    incidents: Incidents
    runs: Runs
    approvals: Approvals
    outbox: Outbox
    cards: Cards
    locks: Locks
    paces: Paces
    ledger: Ledger
    envelopes: Envelopes
    integrity: Integrity
    heartbeats: SqlHeartbeats  # the engine asks nothing of it, so it is in no port
    fleets: SqlFleets  # as above
    sources: SqlSources  # as above

    def __init__(
        self, connection: Connection, *, seal: LedgerSeal, now: Callable[[], datetime]
    ) -> None:
        self.incidents = SqlIncidents(connection, seal)
        self.runs = SqlRuns(connection, seal)
        self.approvals = SqlApprovals(connection, seal)
        self.outbox = SqlOutbox(connection)
        self.cards = SqlCards(connection)
        self.locks = SqlLocks(connection)
        self.paces = SqlPaces(connection)
        self.ledger = SqlLedger(connection, seal)
        self.envelopes = SqlEnvelopes(connection, self._note_shredding)
        self.integrity = SqlIntegrity(connection, seal)
        self.heartbeats = SqlHeartbeats(connection)
        self.fleets = SqlFleets(connection, seal)
        self.sources = SqlSources(connection)
        self.shredded = False
        self._now = now

    def now(self) -> datetime:
        """The store's time, UTC: the server's on PostgreSQL, the given clock's on SQLite."""
        return self._now()

    def _note_shredding(self) -> None:
        self.shredded = True


class SqlStore:
    """The port ``Store``. Safe to share between threads; also a context manager that closes."""

    def __init__(
        self,
        database: Database,
        *,
        seal: LedgerSeal,
        clock: Callable[[], datetime],
        reads_only: bool = False,
    ) -> None:
        self._reads_only = reads_only
        self._database = database
        self._seal = seal
        self._clock = clock
        self._inside = threading.local()

    @property
    def engine(self) -> Engine:
        """The engine, for `doctor` and for tests that attack the tables."""
        return self._database.engine

    @contextmanager
    def transaction(self) -> Iterator[SqlTransaction]:
        """Commit at the end of the block, roll back on any exception.

        Writers queue, so what a block reads stays true until it ends. A transaction inside
        another one of the same thread would wait for itself for ever and is refused.
        """
        if self._reads_only:
            raise StoreError(
                "this process only reads the store",
                remedy="do it with a command or a worker; docs/operations.md says who does what",
            )
        if getattr(self._inside, "pid", None) == os.getpid():
            raise RuntimeError("this thread has a transaction already; pass it on instead")
        self._inside.pid = os.getpid()
        try:
            with self._database.writing() as connection:
                require_head(connection, self._database.name)
                transaction = self._bind(connection)
                yield transaction
            if transaction.shredded:
                self._database.scrub()
        except exc.DBAPIError as error:
            raise refused(error, self._database.name) from None
        finally:
            self._inside.pid = None

    @contextmanager
    def snapshot(self) -> Iterator[SqlTransaction]:
        """One consistent view for long reading (verify, export); holds no writer up.

        Writing inside it is an error.
        """
        try:
            with self._database.reading() as connection:
                yield self._bind(connection)
        except exc.DBAPIError as error:
            raise refused(error, self._database.name) from None

    def head(self) -> Entry | None:
        """The newest ledger entry."""
        with self._database.reading() as connection:
            return SqlLedger(connection, self._seal).head()

    def entry(self, seq: int) -> Entry | None:
        """The ledger entry number ``seq``."""
        with self._database.reading() as connection:
            return SqlLedger(connection, self._seal).entry(seq)

    def between(self, first: int, last: int) -> list[Entry]:
        """The ledger entries from ``first`` to ``last``, those two as well."""
        with self._database.reading() as connection:
            return SqlLedger(connection, self._seal).between(first, last)

    def intruders(self) -> tuple[str, ...]:
        """Triggers, rules and views: none is ours, and each can change what we write or read."""
        try:
            with self._database.reading() as connection:
                return self._database.intruders(connection)
        except exc.DBAPIError as error:
            raise refused(error, self._database.name) from None

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _bind(self, connection: Connection) -> SqlTransaction:
        return SqlTransaction(
            connection,
            seal=self._seal,
            now=lambda: self._database.now(connection) or self._clock(),
        )


def open_store(
    url: str, *, seal: LedgerSeal, clock: Callable[[], datetime] | None = None
) -> SqlStore:
    """Open (and create or migrate) the store at ``sqlite:///path`` or ``postgresql://…``.

    ``clock`` is the time on SQLite, the system's by default; PostgreSQL uses its own. Raises
    StoreError when the store is unreachable, newer than this code, or not a store.
    """
    database = connect(url)
    try:
        with database.writing() as connection:
            migrate(connection)
            database.close_to_others()
            if unmarked(connection):
                _adopt(connection, seal, clock or _utc)
        database.scrub()  # whoever shredded last may have been killed before that
    except exc.DBAPIError as error:
        database.close()
        raise refused(error, database.name) from None
    except BaseException:
        database.close()
        raise
    return SqlStore(database, seal=seal, clock=clock or _utc)


def read_store(url: str, *, seal: LedgerSeal, notices: bool = False) -> SqlStore:
    """Open a store that is there and of our schema, only to read it; StoreError otherwise.

    ``notices``: the process also writes what carries no mark: that there is news of a source.
    """
    database = connect(url, create=False)
    try:
        with database.reading() as connection:
            _require_head(current(connection), database.name)
    except exc.DBAPIError as error:
        database.close()
        raise refused(error, database.name) from None
    except BaseException:
        database.close()
        raise
    return SqlStore(database, seal=seal, clock=_utc, reads_only=not notices)


def _require_head(found: str | None, name: str) -> None:
    if found != HEAD:
        raise StoreError(
            f"the store {name} has schema {found or 'none'}, this stanch needs {HEAD}",
            remedy="`stanch store prepare` brings a team's up to date, any command an embedded one",
        )


def _adopt(connection: Connection, seal: LedgerSeal, clock: Callable[[], datetime]) -> None:
    """Take over what an older version wrote without marks: once, and on the record.

    A record that was adopted before, or that this version has written to, has no such rows: those
    that are there were put there by somebody else.
    """
    record = SqlLedger(connection, seal)
    if any(entry.event.action in _MARKED_SINCE for entry in record.entries()):
        return
    count = adopt(connection, seal)
    record.append(
        Event(at=clock(), actor="system", action=ADOPTED, incident=None, detail={"rows": count})
    )


def _utc() -> datetime:
    return datetime.now(UTC)


def refused(error: exc.DBAPIError, name: str) -> StoreError:
    """What a database's refusal means to whoever runs this."""
    # The driver's first line only: later lines and the statement may repeat stored values.
    said = str(error.orig).strip().partition("\n")[0]
    if isinstance(error, exc.IntegrityError):
        return StoreError(
            f"the store refused a change that contradicts it: {said}",
            remedy="look at the current state and repeat what you did",
        )
    if getattr(error.orig, "sqlstate", None) == _FORBIDDEN:
        return StoreError(
            f"the store {name} does not let this role do that: {said}",
            remedy="as the owner of its tables run `stanch store prepare --role ROLE`: it brings "
            "them up to date and gives ROLE what is needed",
        )
    if "not a database" in said:
        return StoreError(
            f"{name} is not a store: {said}",
            remedy="name another file in [store] url, or restore this one from its backup",
        )
    return StoreError(
        f"the store {name} cannot be used: {said}",
        remedy="check that it is reachable, not full, and that this user may write to it",
    )

"""What differs between SQLite and PostgreSQL, and nothing else."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from sqlalchemy import Connection, Engine, make_url
from sqlalchemy.exc import ArgumentError

from stanch.responder.domain.error import StoreError


class Database(Protocol):
    """A database with one writer at a time."""

    @property
    def engine(self) -> Engine:
        """The engine."""

    @property
    def name(self) -> str:
        """How messages call it; without password."""

    def writing(self) -> AbstractContextManager[Connection]:
        """A connection in a transaction that excludes all other writers; commits at the end."""

    def reading(self) -> AbstractContextManager[Connection]:
        """A connection with one consistent, read-only view."""

    def now(self, connection: Connection) -> datetime | None:
        """The server's time, UTC; None when it has none of its own."""

    def intruders(self, connection: Connection) -> tuple[str, ...]:
        """What acts on our tables besides us, as people read it."""

    def excess(self, connection: Connection) -> tuple[str, ...]:
        """What our role may do there beyond using the store, as people read it."""

    def close_to_others(self) -> None:
        """Take from others what modes give them. Called once the store is known to be ours."""

    def scrub(self) -> None:
        """Overwrite what deleted rows left behind, as far as the database can."""

    def close(self) -> None:
        """Close every connection."""


def connect(url: str, *, create: bool = True) -> Database:
    """The database behind a URL; StoreError for a URL of another kind.

    ``create``: a file that is not there is made; otherwise it is refused.
    """
    remedy = "write sqlite:////path/to/stanch.db or postgresql://user@host/database"
    try:
        parsed = make_url(url)
    except ArgumentError:
        # Not repeated in the message: what is no URL may still hold a password.
        raise StoreError("the store's URL cannot be understood", remedy=remedy) from None
    backend = parsed.drivername.partition("+")[0]
    if backend == "sqlite" and parsed.database and not parsed.database.startswith(":"):
        from stanch.responder.store.sqlite import Sqlite  # noqa: PLC0415  # only the driver in use

        return Sqlite(parsed, create=create)
    if backend in {"postgresql", "postgres"}:
        from stanch.responder.store.postgres import Postgres  # noqa: PLC0415  # only the driver in use

        return Postgres(parsed)
    raise StoreError(f"a store cannot live in {parsed.drivername!r}", remedy=remedy)

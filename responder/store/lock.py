"""Locks in a table: one row for each name that somebody has taken."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, update

from stanch.responder.store.table import locks


class SqlLocks:
    """The port ``Locks`` over one connection. Atomic because the store has one writer at a time."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def take(self, name: str, owner: str, *, now: datetime, until: datetime) -> bool:
        """Take or prolong the lock; False while somebody else has it."""
        taken = self._connection.execute(
            update(locks)
            .where(locks.c.name == name, or_(locks.c.owner == owner, locks.c.until <= now))
            .values(owner=owner, until=until)
        )
        if taken.rowcount:
            return True
        if self._connection.execute(select(locks.c.name).where(locks.c.name == name)).first():
            return False
        self._connection.execute(insert(locks).values(name=name, owner=owner, until=until))
        return True

    def free(self, name: str, owner: str) -> None:
        """Give it back, if it is still ours."""
        self._connection.execute(delete(locks).where(locks.c.name == name, locks.c.owner == owner))

    def held(self, now: datetime) -> Mapping[str, str]:
        """Owners by the names of the locks that are taken."""
        rows = self._connection.execute(
            select(locks.c.name, locks.c.owner).where(locks.c.until > now)
        )
        return {row.name: row.owner for row in rows}

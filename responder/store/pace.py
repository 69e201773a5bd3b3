"""How often something may be asked, whichever worker asks: token buckets in the store (GCRA)."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, insert, select, update

from stanch.responder.store.table import paces


class SqlPaces:
    """The port ``Paces`` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def due(self, name: str) -> datetime | None:
        """When the next token is due; None where none was ever spent."""
        query = select(paces.c.due_at).where(paces.c.name == name)
        due: datetime | None = self._connection.execute(query).scalar_one_or_none()
        return due

    def spend(self, name: str, every: timedelta, now: datetime) -> datetime:
        """Spend the next token; the moment from which on it counts, now or later."""
        at = max(self.due(name) or now, now)
        row, where = {"due_at": at + every}, paces.c.name == name
        if not self._connection.execute(update(paces).where(where).values(row)).rowcount:
            self._connection.execute(insert(paces).values(name=name, **row))
        return at

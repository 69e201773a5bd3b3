"""Errands in a table: one row for each wish, however often it is uttered."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, or_, select, update

from stanch.responder.domain.ports import Errand, Message
from stanch.responder.store.counter import take
from stanch.responder.store.row import build
from stanch.responder.store.table import outbox


class SqlOutbox:
    """The port ``Outbox`` over one connection.

    A put over a waiting row gives it a new id, and ``done`` removes by id: whoever read the old
    row cannot remove the new wish.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, errand: Errand, subject: str) -> None:
        """Ask for an errand; an equal one that waits absorbs this one, and is due at once."""
        fresh = take(self._connection, "outbox")
        absorbed = self._connection.execute(
            update(outbox)
            .where(outbox.c.errand == errand, outbox.c.subject == subject)
            .values(id=fresh, due_at=None)
        )
        if absorbed.rowcount == 0:
            self._connection.execute(
                insert(outbox).values(id=fresh, errand=errand, subject=subject, tries=0)
            )

    def waiting(self, now: datetime, errand: Errand | None = None) -> tuple[Message, ...]:
        """Errands that are due, oldest wish first."""
        query = (
            select(outbox)
            .where(or_(outbox.c.due_at.is_(None), outbox.c.due_at <= now))
            .order_by(outbox.c.id)
        )
        if errand is not None:
            query = query.where(outbox.c.errand == errand)
        return tuple(build(Message, row) for row in self._connection.execute(query))

    def done(self, message: Message) -> None:
        """Remove it, unless it was put again since it was read."""
        self._connection.execute(delete(outbox).where(outbox.c.id == message.id))

    def later(self, message: Message, due_at: datetime) -> None:
        """Try again at ``due_at``; counts one try. A wish put since it was read stays due."""
        self._connection.execute(
            update(outbox)
            .where(outbox.c.id == message.id)
            .values(due_at=due_at, tries=outbox.c.tries + 1)
        )

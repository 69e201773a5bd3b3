"""Numbers that are given out once."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from stanch.responder.store.table import counters


def take(connection: Connection, name: str) -> int:
    """The next number of the counter ``name``. Its row stands since the first migration."""
    connection.execute(
        update(counters).where(counters.c.name == name).values(value=counters.c.value + 1)
    )
    return int(
        connection.execute(select(counters.c.value).where(counters.c.name == name)).scalar_one()
    )

"""Rows that workers take: a lease that lapses, and a token that fences off who had it before.

The one mechanism for steps of runs and for units of fleets.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, and_, case, literal, or_, update

from stanch.responder.domain.error import LeaseLost
from stanch.responder.store.column import Instant

RUNNING, WAITING = "running", "waiting"  # every enumeration of states calls them so


def lapsed(table: Table, now: datetime) -> ColumnElement[bool]:
    """Whose holder has not been heard of for the length of a lease."""
    columns = table.c
    gone = or_(columns.lease_until.is_(None), columns.lease_until <= now)
    return and_(columns.state == RUNNING, gone)


def claimable(table: Table, now: datetime, free: Sequence[StrEnum]) -> ColumnElement[bool]:
    """Rows that may be taken: in a ``free`` state, waiting and due, or lapsed."""
    columns = table.c
    due = or_(columns.due_at.is_(None), columns.due_at <= now)
    return or_(columns.state.in_(free), and_(columns.state == WAITING, due), lapsed(table, now))


def take(
    connection: Connection,
    table: Table,
    where: ColumnElement[bool],
    *,
    until: datetime,
    also: Mapping[str, Any] | None = None,
) -> bool:
    """Take the row; the condition and the taking are one statement. False: it was not free."""
    values = {"state": RUNNING, "token": table.c.token + 1, "lease_until": until, **(also or {})}
    return connection.execute(update(table).where(where).values(values)).rowcount == 1


def renewal(table: Table, until: datetime) -> dict[str, Any]:
    """The values that prolong a lease; a row that its holder has finished stays as it is."""
    running = table.c.state == RUNNING
    kept = case((running, literal(until, Instant())), else_=table.c.lease_until)
    return {"lease_until": kept}


def fenced(
    connection: Connection,
    table: Table,
    where: ColumnElement[bool],
    token: int,
    values: Mapping[str, Any],
) -> None:
    """Write as the holder of ``token``; LeaseLost, with nothing written, when it is not newest."""
    statement = update(table).where(where, table.c.token == token).values(values)
    if connection.execute(statement).rowcount != 1:
        raise LeaseLost(f"a row of {table.name} has a newer holder")

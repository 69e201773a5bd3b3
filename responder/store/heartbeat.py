"""Workers' signs of life in a table. Nothing that acts or is said of a leak rests on them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from stanch.responder.domain.heartbeat import Heartbeat
from stanch.responder.store.table import workers


class SqlHeartbeats:
    """The port ``Heartbeats`` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def beat(self, heartbeat: Heartbeat) -> None:
        """Remember the newest one of this worker."""
        row = {
            "lane": heartbeat.lane,
            "version": heartbeat.version,
            "broker": int(heartbeat.broker),
            "started_at": heartbeat.started_at,
            "seen_at": heartbeat.seen_at,
        }
        where = workers.c.name == heartbeat.name
        if not self._connection.execute(update(workers).where(where).values(row)).rowcount:
            self._connection.execute(insert(workers).values(name=heartbeat.name, **row))

    def list(self) -> tuple[Heartbeat, ...]:
        """The newest of each worker, by name."""
        rows = self._connection.execute(select(workers).order_by(workers.c.name))
        return tuple(
            Heartbeat(
                name=row.name,
                lane=row.lane,
                version=row.version,
                broker=bool(row.broker),
                started_at=row.started_at,
                seen_at=row.seen_at,
            )
            for row in rows
        )

    def leave(self, name: str) -> None:
        """This worker has stopped as told."""
        self._connection.execute(delete(workers).where(workers.c.name == name))

    def forget(self, before: datetime) -> None:
        """Those that were last heard of before this."""
        self._connection.execute(delete(workers).where(workers.c.seen_at < before))

"""What is watched, in tables. Nothing that acts on a leak rests on them: they carry no marks."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, delete, insert, select, update

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.watched import Delivery, Judged, Source, SourceId, Suspicion
from stanch.responder.store.counter import take
from stanch.responder.store.row import build, values
from stanch.responder.store.table import deliveries, sources, suspicions


class SqlSources:
    """The port ``Sources`` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, source: SourceId) -> Source | None:
        """One source."""
        query = select(sources).where(sources.c.id == source)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else build(Source, row)

    def list(self) -> tuple[Source, ...]:
        """All, by watch and subject."""
        query = select(sources).order_by(sources.c.watch, sources.c.subject)
        return tuple(build(Source, row) for row in self._connection.execute(query))

    def due(self, now: datetime) -> tuple[SourceId, ...]:
        """Those to be looked at now: of which there is news first, then who waits longest."""
        query = (
            select(sources.c.id)
            .where(sources.c.due_at <= now)
            .order_by(sources.c.noticed_at.is_(None), sources.c.due_at, sources.c.id)
        )
        return tuple(self._connection.execute(query).scalars())

    def save(self, source: Source) -> None:
        """Insert it, or write over what was there."""
        row = values(source)
        where = sources.c.id == source.id
        if not self._connection.execute(update(sources).where(where).values(row)).rowcount:
            self._connection.execute(insert(sources).values(row))

    def remove(self, source: SourceId) -> None:
        """It is not watched any more; its suspicions go with it."""
        self._connection.execute(delete(suspicions).where(suspicions.c.source == source))
        self._connection.execute(delete(sources).where(sources.c.id == source))

    def receive(self, delivery: Delivery) -> bool:
        """Remember a delivery; False when its watch has had it already."""
        known = select(deliveries.c.id).where(
            deliveries.c.watch == delivery.watch, deliveries.c.id == delivery.id
        )
        if self._connection.execute(known).first() is not None:
            return False
        self._connection.execute(insert(deliveries).values(values(delivery)))
        return True

    def forget(self, before: datetime) -> None:
        """Deliveries that nobody will repeat."""
        self._connection.execute(delete(deliveries).where(deliveries.c.received_at < before))

    def suspect(self, suspicion: Suspicion) -> bool:
        """Add one (its id is given here); False when the source has it already."""
        known = select(suspicions.c.id).where(
            suspicions.c.source == suspicion.source,
            suspicions.c.fingerprint == suspicion.fingerprint,
            suspicions.c.place == suspicion.place,
        )
        if self._connection.execute(known).first() is not None:
            return False
        numbered = replace(suspicion, id=take(self._connection, "suspicion"))
        self._connection.execute(insert(suspicions).values(values(numbered)))
        return True

    def suspicions(self, state: Judged = Judged.OPEN) -> tuple[Suspicion, ...]:
        """Those of a state, oldest first."""
        query = select(suspicions).where(suspicions.c.state == state).order_by(suspicions.c.id)
        return tuple(build(Suspicion, row) for row in self._connection.execute(query))

    def suspicion(self, number: int) -> Suspicion | None:
        """One suspicion."""
        query = select(suspicions).where(suspicions.c.id == number)
        row = self._connection.execute(query).one_or_none()
        return None if row is None else build(Suspicion, row)

    def judge(self, number: int, state: Judged, incident: IncidentId | None = None) -> None:
        """A person has judged it."""
        self._connection.execute(
            update(suspicions)
            .where(suspicions.c.id == number)
            .values(state=state, incident=incident)
        )

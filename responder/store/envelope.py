"""The vault's shelf in a table."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, delete, insert, select

from stanch.responder.domain.ids import IncidentId, RunId, SealedRef
from stanch.responder.domain.ports import Envelope, Kept
from stanch.responder.store.row import build, values
from stanch.responder.store.table import envelopes


class SqlEnvelopes:
    """The port ``Envelopes`` over one connection. ``on_shred`` runs when rows were deleted."""

    def __init__(self, connection: Connection, on_shred: Callable[[], None]) -> None:
        self._connection = connection
        self._on_shred = on_shred

    def add(self, envelope: Envelope) -> None:
        """Insert; the same ref and part twice is an error."""
        self._connection.execute(insert(envelopes).values(values(envelope)))

    def get(self, ref: SealedRef, part: str) -> Envelope | None:
        """One sealed part."""
        row = self._connection.execute(
            select(envelopes).where(envelopes.c.ref == ref, envelopes.c.part == part)
        ).one_or_none()
        return None if row is None else build(Envelope, row)

    def parts(self, ref: SealedRef) -> tuple[str, ...]:
        """The names of the sealed parts, in order."""
        rows = self._connection.execute(
            select(envelopes.c.part).where(envelopes.c.ref == ref).order_by(envelopes.c.part)
        )
        return tuple(sorted(row.part for row in rows))

    def named(self, run: RunId, name: str) -> SealedRef | None:
        """What a step of this run sealed under ``name``."""
        row = self._connection.execute(
            select(envelopes.c.ref).where(envelopes.c.run == run, envelopes.c.name == name)
        ).first()
        return None if row is None else SealedRef(row.ref)

    def of(self, incident: IncidentId) -> tuple[Kept, ...]:
        """What is sealed for an incident."""
        rows = self._connection.execute(
            select(envelopes.c.ref, envelopes.c.run, envelopes.c.name)
            .where(envelopes.c.incident == incident)
            .distinct()
            .order_by(envelopes.c.ref)
        )
        return tuple(
            Kept(SealedRef(row.ref), RunId(row.run) if row.run else None, row.name) for row in rows
        )

    def incidents(self) -> tuple[IncidentId, ...]:
        """The incidents for which anything is sealed."""
        rows = self._connection.execute(
            select(envelopes.c.incident).distinct().order_by(envelopes.c.incident)
        )
        return tuple(IncidentId(row.incident) for row in rows)

    def master_keys(self) -> tuple[str, ...]:
        """The names of the master keys that anything is sealed under."""
        rows = self._connection.execute(
            select(envelopes.c.master_key).distinct().order_by(envelopes.c.master_key)
        )
        return tuple(row.master_key for row in rows)

    def shred(self, ref: SealedRef) -> int:
        """Delete all parts; returns how many there were."""
        gone = self._connection.execute(delete(envelopes).where(envelopes.c.ref == ref)).rowcount
        if gone:
            self._on_shred()
        return gone

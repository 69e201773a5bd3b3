"""Incidents and their exposures in tables."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection, func, insert, select, update

from stanch.responder.domain.error import StoreError
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.json import canonical
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.counter import take
from stanch.responder.store.mark import Marked
from stanch.responder.store.row import build, values
from stanch.responder.store.table import exposures, incidents, runs


def _digest(exposure: Exposure) -> str:
    return hashlib.sha256(canonical(list(exposure.place))).hexdigest()


class SqlIncidents:
    """The port ``Incidents`` over one connection. Rows are locked because the store is."""

    def __init__(self, connection: Connection, seal: LedgerSeal) -> None:
        self._connection = connection
        self._marked = Marked(connection, incidents, seal)
        self._exposures = Marked(connection, exposures, seal)

    def by_fingerprint(self, fingerprint: str) -> Incident | None:
        """The incident for this secret."""
        row = self._connection.execute(
            select(incidents).where(incidents.c.fingerprint == fingerprint)
        ).one_or_none()
        return None if row is None else build(Incident, row)

    def get(self, incident: IncidentId) -> Incident | None:
        """One incident."""
        row = self._connection.execute(
            select(incidents).where(incidents.c.id == incident)
        ).one_or_none()
        return None if row is None else build(Incident, row)

    def list(self, states: Sequence[IncidentState] = ()) -> tuple[Incident, ...]:
        """Newest first; all states when none is named."""
        query = select(incidents).order_by(incidents.c.id.desc())
        if states:
            query = query.where(incidents.c.state.in_(states))
        return tuple(build(Incident, row) for row in self._connection.execute(query))

    def next_id(self) -> IncidentId:
        """A number never given before."""
        return IncidentId(take(self._connection, "incident"))

    def add(self, incident: Incident) -> None:
        """Insert; a second incident with the same fingerprint is an error."""
        self._connection.execute(insert(incidents).values(self._marked.values(values(incident))))

    def save(self, incident: Incident) -> Incident:
        """Update where ``version`` is unchanged; returns it with ``version + 1``."""
        saved = replace(incident, version=incident.version + 1)
        changed = self._connection.execute(
            update(incidents)
            .where(incidents.c.id == incident.id, incidents.c.version == incident.version)
            .values(self._marked.over(incidents.c.id == incident.id, values(saved)))
        )
        if changed.rowcount != 1:
            raise StoreError(
                f"{label(incident.id)} changed since it was read",
                remedy="look at it again and repeat what you did",
            )
        return saved

    def expose(self, incident: IncidentId, exposure: Exposure) -> bool:
        """Add a sighting; False when that place is known already."""
        place = _digest(exposure)
        known = self._connection.execute(
            select(exposures.c.id).where(
                exposures.c.incident == incident, exposures.c.place == place
            )
        ).first()
        if known is not None:
            return False
        row = {**values(exposure), "incident": incident, "place": place}
        self._connection.execute(insert(exposures).values(self._exposures.values(row)))
        return True

    def unanswered(self) -> tuple[Incident, ...]:
        """Open incidents without a run for this episode of the leak, oldest first."""
        answering = select(runs.c.id).where(
            runs.c.incident == incidents.c.id, runs.c.episode == incidents.c.regressions
        )
        query = (
            select(incidents)
            .where(incidents.c.state == IncidentState.OPEN, ~answering.exists())
            .order_by(incidents.c.id)
        )
        return tuple(build(Incident, row) for row in self._connection.execute(query))

    def exposures(self, incident: IncidentId) -> tuple[Exposure, ...]:
        """All sightings, oldest exposure first."""
        rows = self._connection.execute(
            select(exposures)
            .where(exposures.c.incident == incident)
            .order_by(func.coalesce(exposures.c.exposed_at, exposures.c.found_at), exposures.c.id)
        )
        return tuple(build(Exposure, row) for row in rows)

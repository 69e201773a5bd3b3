"""Where cards stand, in a table."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from stanch.responder.domain.card import CardRef
from stanch.responder.domain.ids import IncidentId
from stanch.responder.store.table import cards


class SqlCards:
    """The port ``Cards`` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, incident: IncidentId, notifier: str) -> tuple[CardRef, str] | None:
        """The place and the digest of what it shows."""
        row = self._connection.execute(
            select(cards).where(cards.c.incident == incident, cards.c.notifier == notifier)
        ).one_or_none()
        return None if row is None else (CardRef(channel=row.channel, ts=row.ts), row.digest)

    def save(self, incident: IncidentId, notifier: str, ref: CardRef, digest: str) -> None:
        """Remember place and digest."""
        place = {"channel": ref.channel, "ts": ref.ts, "digest": digest}
        moved = self._connection.execute(
            update(cards)
            .where(cards.c.incident == incident, cards.c.notifier == notifier)
            .values(place)
        )
        if moved.rowcount == 0:
            self._connection.execute(
                insert(cards).values(incident=incident, notifier=notifier, **place)
            )

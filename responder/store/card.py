"""Where cards stand, in a table."""

from __future__ import annotations

from sqlalchemy import Connection, insert, select, update

from stanch.responder.domain.card import CardRef
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.ports import Shown
from stanch.responder.store.table import cards


class SqlCards:
    """The port ``Cards`` over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, incident: IncidentId, notifier: str) -> Shown:
        """What is known of this card; an empty one when nothing was shown yet."""
        row = self._connection.execute(
            select(cards).where(cards.c.incident == incident, cards.c.notifier == notifier)
        ).one_or_none()
        if row is None:
            return Shown()
        return Shown(
            ref=CardRef(channel=row.channel, ts=row.ts) if row.channel else None,
            digest=row.digest,
            tries=row.tries,
            due_at=row.due_at,
        )

    def save(self, incident: IncidentId, notifier: str, shown: Shown) -> None:
        """Remember it."""
        row = {
            "channel": shown.ref.channel if shown.ref else "",
            "ts": shown.ref.ts if shown.ref else "",
            "digest": shown.digest,
            "tries": shown.tries,
            "due_at": shown.due_at,
        }
        moved = self._connection.execute(
            update(cards)
            .where(cards.c.incident == incident, cards.c.notifier == notifier)
            .values(row)
        )
        if moved.rowcount == 0:
            self._connection.execute(
                insert(cards).values(incident=incident, notifier=notifier, **row)
            )

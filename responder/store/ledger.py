"""The ledger in a table. Appends are without gaps because the store has one writer at a time."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from types import NoneType
from typing import Any

from sqlalchemy import Connection, Row, Select, cast, func, insert, select
from sqlalchemy import Text as SqlText
from sqlalchemy.exc import DBAPIError

from stanch.responder.domain.error import LedgerError, Tampered
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.domain.json import canonical
from stanch.responder.domain.timeline import Entry, Event
from stanch.responder.ledger.chain import UnreadableEntryError, digest, link
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.column import clean
from stanch.responder.store.table import ledger

_PAGE = 500
# ``detail`` is read as raw text: an attacker may have left something that is not JSON.
_COLUMNS = (
    ledger.c.seq,
    ledger.c.at,
    ledger.c.actor,
    ledger.c.action,
    ledger.c.incident,
    cast(ledger.c.detail, SqlText).label("detail"),
    ledger.c.previous,
    ledger.c.digest,
    ledger.c.mac,
)


class SqlLedger:
    """The port ``Ledger`` over one connection."""

    def __init__(self, connection: Connection, seal: LedgerSeal) -> None:
        self._connection = connection
        self._seal = seal

    def append(self, event: Event) -> Entry:
        """Chain and protect one event. A failure is a LedgerError and ends the transaction."""
        # Cleaned before it is hashed: what is stored must be what the digest covers.
        event = replace(event, actor=clean(event.actor), action=clean(event.action))
        entry = link(event, after=self.head(), seal=self._seal)
        try:
            self._connection.execute(
                insert(ledger).values(
                    seq=entry.seq,
                    at=event.at,
                    actor=event.actor,
                    action=event.action,
                    incident=event.incident,
                    detail=event.detail,
                    previous=entry.previous,
                    digest=entry.digest,
                    mac=entry.mac,
                )
            )
        except DBAPIError as error:
            raise LedgerError(
                f"{event.action} cannot be recorded ({type(error.orig).__name__})",
                remedy="check that the database can be written (disk, permissions) and repeat",
            ) from None
        return entry

    def entries(self, incident: IncidentId | None = None) -> Iterator[Entry]:
        """All entries by sequence, or those of one incident.

        Raises UnreadableEntryError where a row is not what an append writes.
        """
        last, size = 0, _PAGE
        while True:
            # No lower bound at first: an attacker may have numbered an entry 0 or less.
            where = [ledger.c.seq > last] if last else []
            if incident is not None:
                where.append(ledger.c.incident == incident)
            query = select(*_COLUMNS).where(*where).order_by(ledger.c.seq).limit(size)
            try:
                page = self._read(query, last + 1)
            except UnreadableEntryError:
                if size == 1:
                    raise
                size = 1  # one by one from here, to name the entry
                continue
            for row in page:
                yield decode(row)
            if len(page) < size:
                return
            last = page[-1].seq

    def sworn(self, incident: IncidentId) -> tuple[Event, ...]:
        """What the record says of an incident; Tampered when an entry is not of our key."""
        try:
            entries = tuple(self.entries(incident))
            events = tuple(self._ours(entry) for entry in entries)
        except UnreadableEntryError as error:
            raise Tampered(f"{label(incident)}: ledger entry {error.seq} is not ours") from None
        if entries:
            self._require_whole(entries[0].seq, label(incident))
        return events

    def since(self, action: str, at: datetime) -> tuple[Event, ...]:
        """Entries of this action from ``at`` on; Tampered when one is not of our key, or gone."""
        self._require_whole(1, action)
        query = (
            select(*_COLUMNS)
            .where(ledger.c.action == action, ledger.c.at >= at)
            .order_by(ledger.c.seq)
        )
        try:
            return tuple(self._ours(decode(row)) for row in self._read(query, 0))
        except UnreadableEntryError as error:
            raise Tampered(f"ledger entry {error.seq} is not ours") from None

    def newest(self, action: str) -> Event | None:
        """The newest entry of this action; Tampered when it is not of our key, or one is gone."""
        self._require_whole(1, action)
        query = (
            select(*_COLUMNS)
            .where(ledger.c.action == action)
            .order_by(ledger.c.seq.desc())
            .limit(1)
        )
        try:
            page = self._read(query, 0)
            return self._ours(decode(page[0])) if page else None
        except UnreadableEntryError as error:
            raise Tampered(f"ledger entry {error.seq} is not ours") from None

    def _require_whole(self, first: int, what: str) -> None:
        """Nothing was taken out since: a word that is gone would count as never given.

        What was cut off at the end shows by the anchors.
        """
        found = select(func.count(), func.max(ledger.c.seq)).where(ledger.c.seq >= first)
        count, last = self._connection.execute(found).one()
        gone = 0 if last is None else last - first + 1 - count
        if gone:
            raise Tampered(f"{what}: {gone} ledger entries from {first} on are gone")

    def _ours(self, entry: Entry) -> Event:
        own = digest(entry.event, seq=entry.seq, previous=entry.previous)
        if entry.digest != own or not self._seal.accepts(own, entry.mac):
            raise UnreadableEntryError(entry.seq)
        return entry.event

    def head(self) -> Entry | None:
        """The newest entry."""
        page = self._read(select(*_COLUMNS).order_by(ledger.c.seq.desc()).limit(1), 0)
        return decode(page[0]) if page else None

    def entry(self, seq: int) -> Entry | None:
        """The entry number ``seq``."""
        page = self._read(select(*_COLUMNS).where(ledger.c.seq == seq), seq)
        return decode(page[0]) if page else None

    def between(self, first: int, last: int) -> list[Entry]:
        """The entries from ``first`` to ``last``, those two as well."""
        query = select(*_COLUMNS).where(ledger.c.seq.between(first, last)).order_by(ledger.c.seq)
        return [decode(row) for row in self._read(query, first)]

    def _read(self, query: Select[Any], expected: int) -> list[Row[Any]]:
        try:
            return list(self._connection.execute(query).all())
        except (TypeError, ValueError, OverflowError, DBAPIError):
            # A value of a type that no append writes (bytes that are not UTF-8, a text as time).
            raise UnreadableEntryError(expected) from None


def decode(row: Row[Any]) -> Entry:
    """The entry in a row. A ``detail`` that is not canonical was not written by an append."""
    try:
        detail = json.loads(row.detail)
        # SQLite lets a column hold any type; an append writes these.
        if not (
            type(row.actor) is type(row.action) is str
            and type(row.previous) is type(row.digest) is type(row.mac) is str
            and type(row.incident) in {int, NoneType}
            and type(detail) is dict
            and canonical(detail).decode("ascii") == row.detail
        ):
            raise UnreadableEntryError(row.seq)
    except (TypeError, ValueError, RecursionError):
        raise UnreadableEntryError(row.seq) from None
    return Entry(
        seq=row.seq,
        event=Event(
            at=row.at,
            actor=row.actor,
            action=row.action,
            incident=row.incident,
            detail=detail,
        ),
        previous=row.previous,
        digest=row.digest,
        mac=row.mac,
    )

"""The mark on each row that acts or words rest on: only who holds the ledger's key can make it.

What several workers change without reading the whole row (leases, tokens) is left out of it. A row
that does not carry its mark was written by somebody else; writing over it does not mend that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    false,
    or_,
    select,
    type_coerce,
    update,
)
from sqlalchemy.engine.default import DefaultDialect
from sqlalchemy.types import TypeDecorator

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.json import JsonValue, canonical
from stanch.responder.domain.ports import Suspect
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.table import (
    approvals,
    exposures,
    fleets,
    incidents,
    runs,
    steps,
    units,
)

MARK = "mark"
TAINTED = "tainted"  # no mark that any key makes
_UNMARKED = {
    incidents: frozenset[str](),
    exposures: frozenset({"id"}),  # given by the database
    runs: frozenset[str](),
    steps: frozenset({"token", "lease_until"}),
    approvals: frozenset[str](),
    fleets: frozenset({"rung_at"}),
    units: frozenset({"token", "lease_until"}),
}
#: Columns that came when rows had marks already: without a word in them they count for nothing.
_LATER = {exposures: frozenset({"origin", "about", "url", "copies"})}
_NAMES = {exposures: "path", units: "name"}
_NO_WORD = frozenset({None, "", "{}", "[]"})
_DIALECT = DefaultDialect()


def as_stored(table: Table) -> Select[Any]:
    """The rows of a table as the database holds them: what a mark vouches for, unread."""
    return select(*_AS_STORED[table])


def mark(table: Table, values: Mapping[str, Any], seal: LedgerSeal) -> str:
    """The mark for a row with these values."""
    return seal.row(table.name, said(table, stored(table, values)))


def stored(table: Table, values: Mapping[str, Any]) -> dict[str, JsonValue]:
    """The values as the database holds them, which is the same in each."""
    return {name: _stored(table.columns[name], value) for name, value in values.items()}


def genuine(table: Table, row: Row[Any], seal: LedgerSeal) -> bool:
    """Whether the row, as it is stored, is as this installation wrote it."""
    return _vouched(table, _values(row), seal)


def genuine_read(table: Table, row: Row[Any], seal: LedgerSeal) -> bool:
    """The same of a row whose columns were read already."""
    try:
        return _vouched(table, stored(table, _values(row)), seal)
    except (TypeError, ValueError):
        return False  # a value that no write of ours leaves


def _vouched(table: Table, found: Mapping[str, Any], seal: LedgerSeal) -> bool:
    try:
        return seal.vouches(table.name, said(table, found), str(found[MARK]))
    except (TypeError, ValueError):
        return False  # as above


def said(table: Table, found: Mapping[str, JsonValue]) -> bytes:
    """What a mark vouches for, of a row as it is stored."""
    empty = {name for name in _LATER.get(table, ()) if found[name] in _NO_WORD}
    left_out = _UNMARKED[table] | {MARK} | empty
    return canonical(
        {column.name: found[column.name] for column in table.columns if column.name not in left_out}
    )


@dataclass(frozen=True, slots=True)
class Marked:
    """Writes rows of one table with their marks."""

    connection: Connection
    table: Table
    seal: LedgerSeal

    def values(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of a new row, with its mark."""
        return {**values, MARK: mark(self.table, values, self.seal)}

    def over(self, where: ColumnElement[bool], values: Mapping[str, Any]) -> dict[str, Any]:
        """The values that replace those of a row; what was not genuine before stays marked so."""
        if not self.sound(where):
            return {**values, MARK: TAINTED}
        return self.values(values)

    def sound(self, where: ColumnElement[bool]) -> bool:
        """Whether the row, if there is one, is as this installation wrote it."""
        row = self.connection.execute(as_stored(self.table).where(where)).one_or_none()
        return row is None or genuine(self.table, row, self.seal)

    def again(self, where: ColumnElement[bool], *, sound: bool) -> None:
        """Renew the mark after a change of single columns; ``sound``: it was genuine before."""
        row = self.connection.execute(as_stored(self.table).where(where)).one()
        told = said(self.table, _values(row))
        fresh = self.seal.row(self.table.name, told) if sound else TAINTED
        self.connection.execute(update(self.table).where(where).values({MARK: fresh}))


class SqlIntegrity:
    """The port ``Integrity`` over one connection."""

    def __init__(self, connection: Connection, seal: LedgerSeal) -> None:
        self._connection = connection
        self._seal = seal

    def suspects(self, incident: IncidentId | None = None) -> tuple[Suspect, ...]:
        """Rows that this installation did not write, of one incident or of all."""
        return tuple(self._suspects(incident))

    def _suspects(self, incident: IncidentId | None) -> Iterator[Suspect]:
        for table in _UNMARKED:
            for row in self._connection.execute(as_stored(table).where(*_of(table, incident))):
                if not genuine(table, row, self._seal):
                    yield _suspect(table, row)


def unmarked(connection: Connection) -> bool:
    """Whether there are incidents without any mark, as versions before there were marks left."""
    query = select(incidents.c.id).where(incidents.c[MARK] == "").limit(1)
    return connection.execute(query).first() is not None


def adopt(connection: Connection, seal: LedgerSeal) -> int:
    """Mark the rows of a store that was written before there were marks; how many there were."""
    count = 0
    for table in _UNMARKED:
        keys = list(table.primary_key.columns)
        for row in connection.execute(as_stored(table).where(table.c[MARK] == "")).all():
            found = _values(row)
            where = [key == found[key.name] for key in keys]
            fresh = {MARK: seal.row(table.name, said(table, found))}
            connection.execute(update(table).where(*where).values(fresh))
            count += 1
    return count


def _of(table: Table, incident: IncidentId | None) -> list[ColumnElement[bool]]:
    if incident is None:
        return []
    if table in {fleets, units}:
        return [false()]  # no incident's
    if table is incidents:
        return [incidents.c.id == incident]
    if table is steps:
        own = select(runs.c.id).where(runs.c.incident == incident)
        asked = select(approvals.c.run).where(approvals.c.incident == incident)
        return [or_(steps.c.run.in_(own), steps.c.run.in_(asked))]
    return [table.c.incident == incident]


def _suspect(table: Table, row: Row[Any]) -> Suspect:
    values = _values(row)
    run = values["id"] if table is runs else values.get("run")
    name = values[_NAMES.get(table, "id")]
    return Suspect(table=table.name, name=str(name), run=None if run is None else str(run))


def _values(row: Row[Any]) -> dict[str, Any]:
    return dict(row._mapping)  # noqa: SLF001  # the public accessor of SQLAlchemy's Row, despite its name


def _plain(column: Column[Any]) -> ColumnElement[Any]:
    kind = column.type
    if not isinstance(kind, TypeDecorator):
        return column
    return type_coerce(column, kind.impl_instance).label(column.name)


_AS_STORED = {table: [_plain(column) for column in table.columns] for table in _UNMARKED}


def _stored(column: Column[Any], value: Any) -> JsonValue:
    if isinstance(column.type, TypeDecorator):
        value = column.type.process_bind_param(value, _DIALECT)
    found: JsonValue = value
    return found

"""Who may do what with a store on PostgreSQL: the owner changes tables, nobody else can.

The application's role adds to the record and never changes it; the reader's role reads what people
are shown. Only the owner migrates, and `stanch store prepare` is run as the owner.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, exc, make_url, text

from stanch.responder.domain.error import UsageError
from stanch.responder.store.database import connect
from stanch.responder.store.schema import VERSION_TABLE, migrate
from stanch.responder.store.sql import refused
from stanch.scanner.model.secret import SecretValue

Rights = Mapping[str, tuple[str, ...]]

_ALL = ("SELECT", "INSERT", "UPDATE", "DELETE")
_KEPT = ("SELECT", "INSERT", "UPDATE")
WRITER: Rights = {
    "approvals": _KEPT,
    "cards": _KEPT,
    "counters": ("SELECT", "UPDATE"),
    "deliveries": _ALL,
    "envelopes": ("SELECT", "INSERT", "DELETE"),  # sealed once, shredded, never changed
    "exposures": _KEPT,
    "fleets": _ALL,
    "paces": _ALL,
    "incidents": _KEPT,
    "ledger": ("SELECT", "INSERT"),  # the record only grows
    "locks": _ALL,
    "outbox": _ALL,
    "runs": _KEPT,
    "sources": _ALL,
    "steps": _KEPT,
    "suspicions": _ALL,
    "unit_results": ("SELECT", "INSERT", "DELETE"),  # brought once, never changed
    "units": _ALL,
    VERSION_TABLE: ("SELECT",),
    "workers": _ALL,
}
READER: Rights = {name: ("SELECT",) for name in WRITER if name != "envelopes"}
# The door for webhooks: strangers reach it, and all that it says is that there is news.
NOTICER: Rights = {
    "deliveries": ("SELECT", "INSERT"),
    "incidents": ("SELECT",),  # whether the store answers
    "sources": ("SELECT", "INSERT", "UPDATE"),
    VERSION_TABLE: ("SELECT",),
}
_SEQUENCES = {"exposures": "exposures_id_seq"}  # by the table whose rows are numbered
_PLAIN = "LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A role to be; without a password one that the server knows by other means."""

    name: str
    rights: Rights
    password: SecretValue | None = None


def prepare(url: str, roles: Sequence[Role]) -> str:
    """Bring the tables up to date, make the roles that lack, and give each its rights alone.

    Returns how messages call the store. Raises UsageError for a store without roles, StoreError
    when this one's owner is somebody else.
    """
    database = connect(url)
    try:
        if database.engine.dialect.name != "postgresql":
            raise UsageError(
                "a store in a file has no roles: its mode keeps others out",
                remedy="set [store] url to postgresql://OWNER@HOST/DATABASE",
            )
        with database.writing() as connection:
            migrate(connection)
            for role in roles:
                _make(connection, role)
                for statement in statements(role, *_place(connection)):
                    connection.execute(text(statement.replace(":", r"\:")))
    except exc.DBAPIError as error:
        raise refused(error, database.name) from None
    finally:
        database.close()
    return database.name


def script(url: str, roles: Sequence[Role]) -> tuple[str, ...]:
    """The grants alone, for a person who runs them; the database is asked nothing."""
    database = make_url(url).database or ""
    return tuple(f"{each};" for role in roles for each in statements(role, database, "public"))


def statements(role: Role, database: str, schema: str) -> Iterator[str]:
    """What gives a role its rights and takes every other one, from everybody too."""
    who, base, where = _quoted(role.name), _quoted(database), _quoted(schema)
    for kind in (
        f"DATABASE {base}",
        f"SCHEMA {where}",
        f"ALL TABLES IN SCHEMA {where}",
        f"ALL SEQUENCES IN SCHEMA {where}",
    ):
        yield f"REVOKE ALL ON {kind} FROM PUBLIC, {who}"
    yield f"GRANT CONNECT ON DATABASE {base} TO {who}"
    yield f"GRANT USAGE ON SCHEMA {where} TO {who}"
    for table, allowed in sorted(role.rights.items()):
        yield f"GRANT {', '.join(allowed)} ON {where}.{_quoted(table)} TO {who}"
    for table, sequence in _SEQUENCES.items():
        if "INSERT" in role.rights.get(table, ()):
            yield f"GRANT USAGE ON SEQUENCE {where}.{_quoted(sequence)} TO {who}"


def _make(connection: Connection, role: Role) -> None:
    known = connection.execute(
        text("SELECT 1 FROM pg_roles WHERE rolname = :name"), {"name": role.name}
    ).first()
    word = f" PASSWORD '{_verifier(connection, role)}'" if role.password else ""
    if known is None:
        connection.execute(text(f"CREATE ROLE {_quoted(role.name)} {_PLAIN}{word}"))
    elif word:
        connection.execute(text(f"ALTER ROLE {_quoted(role.name)}{word}"))


def _verifier(connection: Connection, role: Role) -> str:
    """What the server keeps of a password. Made here: statements may stand in the server's log."""
    assert role.password is not None  # noqa: S101  # the caller asked
    driver: Any = connection.connection.driver_connection
    made: bytes = driver.pgconn.encrypt_password(
        role.password.reveal(), role.name.encode(), b"scram-sha-256"
    )
    return made.decode("ascii").replace(":", r"\:")


def _place(connection: Connection) -> tuple[str, str]:
    found = connection.execute(text("SELECT current_database(), current_schema()")).one()
    return str(found[0]), str(found[1])


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'

"""PostgreSQL: the store of a team."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from sqlalchemy import URL, Connection, Engine, create_engine, text

_LOCK = 0x5374_616E_6368  # "Stanch"
_OPTIONS = " ".join(
    f"-c {setting}"
    for setting in (
        "lock_timeout=30s",
        # A stopped worker must not hold every other one up.
        "idle_in_transaction_session_timeout=60s",
        "timezone=UTC",
    )
)


_INTRUDERS = """
SELECT 'trigger', t.tgname || ' on ' || c.relname FROM pg_trigger t
  JOIN pg_class c ON c.oid = t.tgrelid
  WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'rule', r.rulename || ' on ' || c.relname FROM pg_rewrite r
  JOIN pg_class c ON c.oid = r.ev_class
  WHERE r.rulename <> '_RETURN' AND c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'view', c.relname FROM pg_class c
  WHERE c.relkind IN ('v', 'm', 'f') AND c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'policy', p.polname || ' on ' || c.relname FROM pg_policy p
  JOIN pg_class c ON c.oid = p.polrelid
  WHERE c.relnamespace = current_schema()::regnamespace
UNION ALL
SELECT 'event trigger', evtname FROM pg_event_trigger
ORDER BY 1, 2
"""

# What the application's role must not be, each with the words for it. A role counts as whatever it
# can become (SET ROLE), not only as what it is.
_EXCESS = """
SELECT 'is a superuser' FROM pg_roles WHERE rolname = current_user AND rolsuper
UNION ALL
SELECT 'may make roles' FROM pg_roles WHERE rolname = current_user AND rolcreaterole
UNION ALL
SELECT 'owns the table ' || c.relname FROM pg_class c
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND pg_has_role(current_user, c.relowner, 'MEMBER')
UNION ALL
SELECT 'owns the database' FROM pg_database d
  WHERE d.datname = current_database() AND pg_has_role(current_user, d.datdba, 'MEMBER')
UNION ALL
SELECT 'may make tables' WHERE has_schema_privilege(current_schema(), 'CREATE')
UNION ALL
SELECT 'may make schemas' WHERE has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT 'may ' || p || ' on ' || c.relname FROM pg_class c,
  unnest(ARRAY['TRIGGER', 'TRUNCATE', 'REFERENCES']) p
  WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', 'p')
  AND has_table_privilege(c.oid, p)
UNION ALL
SELECT 'may ' || p || ' on ledger' FROM unnest(ARRAY['UPDATE', 'DELETE']) p
  WHERE has_table_privilege('ledger', p)
UNION ALL
SELECT 'may UPDATE columns of ledger' WHERE has_any_column_privilege('ledger', 'UPDATE')
  AND NOT has_table_privilege('ledger', 'UPDATE')
UNION ALL
SELECT 'may ' || p || ' on schema_version' FROM unnest(ARRAY['INSERT', 'UPDATE', 'DELETE']) p
  WHERE has_table_privilege('schema_version', p)
UNION ALL
SELECT 'is a member of ' || r FROM unnest(ARRAY['pg_execute_server_program',
  'pg_read_server_files', 'pg_write_server_files']) r
  WHERE pg_has_role(current_user, r, 'MEMBER')
"""


class Postgres:
    """The ``Database`` on a server.

    Writers queue on one advisory lock, exactly as on SQLite: the ledger's chain makes them take
    turns anyway, and one lock taken first cannot deadlock.
    """

    def __init__(self, url: URL) -> None:
        self.name = URL.create(
            "postgresql", host=url.host, port=url.port, database=url.database
        ).render_as_string()
        self.engine: Engine = create_engine(
            url.set(drivername="postgresql+psycopg"),
            pool_size=8,
            max_overflow=-1,
            pool_pre_ping=True,
            hide_parameters=True,
            connect_args={"connect_timeout": 5, "options": _OPTIONS},
        )
        self._pid = os.getpid()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction under the writers' lock."""
        self._survive_fork()
        with self.engine.begin() as connection:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """One snapshot, read-only, without the lock."""
        self._survive_fork()
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            yield connection

    def now(self, connection: Connection) -> datetime | None:
        """The server's clock: not ``now()``, which stands since before the wait for the lock."""
        found = connection.execute(text("SELECT clock_timestamp()")).scalar_one()
        return found.astimezone(UTC) if isinstance(found, datetime) else None

    def intruders(self, connection: Connection) -> tuple[str, ...]:
        """Triggers and rules on our tables, event triggers, and policies that hide rows."""
        return tuple(f"{kind} {name}" for kind, name in connection.execute(text(_INTRUDERS)))

    def excess(self, connection: Connection) -> tuple[str, ...]:
        """What our role may do beyond using the store. Call it for a store with our schema."""
        return tuple(said for (said,) in connection.execute(text(_EXCESS)))

    def close_to_others(self) -> None:
        """The server's files are its own; who may do what is `stanch store prepare`'s."""

    def scrub(self) -> None:
        """Deleted rows stay on disk until the server vacuums; only they hold wrapped keys."""

    def close(self) -> None:
        """Close every connection."""
        self.engine.dispose()

    def _survive_fork(self) -> None:
        if self._pid != os.getpid():
            self.engine.dispose(close=False)
            self._pid = os.getpid()

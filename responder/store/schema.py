"""Bring a database to the schema that this code knows, or refuse it."""

from __future__ import annotations

from importlib.resources import files

from sqlalchemy import Column, Connection, MetaData, String, Table, inspect, select

from stanch.responder.domain.error import StoreError

HEAD = "0009"  # the newest migration; a test compares it with the files
VERSION_TABLE = "schema_version"

_NEWEST = f"SELECT version_num FROM {VERSION_TABLE}"  # noqa: S608  # two constants
_version = Table(VERSION_TABLE, MetaData(), Column("version_num", String(32)))


def migrate(connection: Connection) -> None:
    """Run what is missing. The caller holds the write lock and commits.

    Raises StoreError, with nothing changed, when the schema is newer or not ours.
    """
    found = current(connection)
    if found == HEAD:
        return
    # Imported late: alembic costs more start-up time than everything else that opens a store.
    from alembic import command  # noqa: PLC0415
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    config = Config()
    config.set_main_option(
        "script_location", str(files("stanch.responder.store") / "migrations").replace("%", "%%")
    )
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise StoreError(
            f"the store has schema {found}, this stanch knows up to {HEAD}",
            remedy="install the newer stanch that wrote it; nothing was changed",
        )
    if found is None and inspect(connection).get_table_names():
        raise StoreError(
            "the database holds tables that are not a stanch store",
            remedy="name an empty database or a new file",
        )
    command.upgrade(config, HEAD)


def require_head(connection: Connection, name: str) -> None:
    """The schema is still ours: somebody may have migrated it since this process opened it.

    Asked in each transaction that writes, so it is one plain look at one row.
    """
    found = connection.exec_driver_sql(_NEWEST).scalar_one_or_none()
    if found != HEAD:
        raise StoreError(
            f"the store {name} was migrated to schema {found} while this process ran, and this "
            f"stanch knows {HEAD}: nothing is written",
            remedy="restart this process with the stanch that migrated the store",
        )


def current(connection: Connection) -> str | None:
    """The schema's version; None for a database without one."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_version.c.version_num)).scalar_one_or_none()

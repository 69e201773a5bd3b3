"""Alembic's hook: migrates the connection that ``stanch.responder.store.schema`` hands over."""

from __future__ import annotations

from alembic import context

from stanch.responder.store.schema import VERSION_TABLE
from stanch.responder.store.table import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    # The caller holds the transaction, and with it the lock against a second migrator.
    transactional_ddl=False,
)
context.run_migrations()

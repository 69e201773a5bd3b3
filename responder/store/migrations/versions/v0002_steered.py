"""Runs that people can steer: one at a time, each with its runbook; locks; cards that wait."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """New columns with what the old rows mean, then the index that forbids a second run."""
    op.add_column("runs", sa.Column("episode", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("runs", sa.Column("pinned", sa.Text(), nullable=False, server_default=""))
    op.add_column("runs", sa.Column("digest", sa.String(64), nullable=False, server_default=""))
    op.add_column("steps", sa.Column("cursor", sa.Text(), nullable=False, server_default="{}"))
    op.add_column("steps", sa.Column("opened", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("steps", sa.Column("item", sa.Text(), nullable=True))
    op.add_column("cards", sa.Column("tries", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("cards", sa.Column("due_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "locks",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("owner", sa.String(length=255), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_locks"),
    )
    _number_the_episodes()
    _end_all_but_the_newest()
    op.create_index(
        "uq_runs_active",
        "runs",
        ["incident"],
        unique=True,
        sqlite_where=sa.text("finished_at IS NULL"),
        postgresql_where=sa.text("finished_at IS NULL"),
    )


def _number_the_episodes() -> None:
    """A run that began after the newest sighting answers it."""
    op.execute(
        "UPDATE runs SET episode = ("
        "SELECT CASE WHEN runs.started_at >= i.detected_at OR i.regressions = 0 "
        "THEN i.regressions ELSE i.regressions - 1 END "
        "FROM incidents i WHERE i.id = runs.incident)"
    )


def _end_all_but_the_newest() -> None:
    """Older versions let an undo run beside what it took back."""
    op.execute(
        "UPDATE runs SET state = 'aborted', finished_at = started_at "
        "WHERE finished_at IS NULL AND EXISTS ("
        "SELECT 1 FROM runs newer WHERE newer.incident = runs.incident "
        "AND newer.finished_at IS NULL AND (newer.started_at > runs.started_at "
        "OR (newer.started_at = runs.started_at AND newer.id > runs.id)))"
    )

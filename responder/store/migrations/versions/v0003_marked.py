"""Marks on rows: who writes to the database without the ledger's key is seen, and moves nothing."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Empty marks; what opens the store fills them in, once."""
    for table in ("incidents", "exposures", "runs", "steps", "approvals"):
        op.add_column(table, sa.Column("mark", sa.String(64), nullable=False, server_default=""))

"""The page of a place, and entries of the record that are found by their action."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """No page is known of what was seen before."""
    op.add_column("exposures", sa.Column("url", sa.Text(), nullable=False, server_default=""))
    op.create_index("ix_ledger_action_at", "ledger", ["action", "at"])

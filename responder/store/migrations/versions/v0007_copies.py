"""What whoever keeps a place can take away: the image in a registry, the log of a run."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Nothing is known of what was seen before."""
    op.add_column("exposures", sa.Column("copies", sa.Text(), nullable=False, server_default="[]"))

"""What an exposure stands in where that is no commit: a layer of an image, a run of a pipeline."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Nothing, for what was seen before."""
    for name in ("origin", "about"):
        op.add_column("exposures", sa.Column(name, sa.Text(), nullable=False, server_default=""))

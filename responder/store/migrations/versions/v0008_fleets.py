"""Fleets: units of work, what they brought, and how often a host may be asked."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_UNIT = ("fleet", "source", "item")


def upgrade() -> None:
    """Four tables."""
    op.create_table(
        "fleets",
        sa.Column("id", sa.String(length=40), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "basis")),
        sa.Column("digest", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("commission", "limits")),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        *(sa.Column(name, sa.BigInteger()) for name in ("rung_at", "finished_at")),
        sa.Column("mark", sa.String(length=64), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_fleets"),
    )
    _units()
    op.create_table(
        "unit_results",
        sa.Column("fleet", sa.String(length=40), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in _UNIT[1:]),
        sa.Column("brought", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*_UNIT, name="pk_unit_results"),
        sa.ForeignKeyConstraint(
            _UNIT, [f"units.{name}" for name in _UNIT], name="fk_unit_results_fleet"
        ),
    )
    op.create_table(
        "paces",
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_paces"),
    )


def _units() -> None:
    counts = ("source", "item", "tries", "losses", "findings")
    op.create_table(
        "units",
        sa.Column("fleet", sa.String(length=40), nullable=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in counts),
        *(sa.Column(name, sa.Text(), nullable=False) for name in ("name", "unit", "worker")),
        sa.Column("host", sa.String(length=255), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("token", "size")),
        *(
            sa.Column(name, sa.BigInteger())
            for name in ("lease_until", "due_at", "began_at", "finished_at")
        ),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("digest", sa.String(length=64), nullable=False),
        *(sa.Column(name, sa.Text()) for name in ("error", "remedy")),
        sa.Column("mark", sa.String(length=64), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint(*_UNIT, name="pk_units"),
        sa.ForeignKeyConstraint(["fleet"], ["fleets.id"], name="fk_units_fleet"),
    )
    op.create_index("ix_units_fleet_state", "units", ["fleet", "state"])
    op.create_index("ix_units_host_state", "units", ["host", "state"])

"""The tables. ``migrations/`` builds the same schema step by step; a test compares the two."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    UniqueConstraint,
)

from stanch.responder.domain.approval import Decision
from stanch.responder.domain.fleet import UnitState
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.ports import Errand
from stanch.responder.domain.run import RunKind, RunState, StepState
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.watched import Judged
from stanch.responder.store.column import Choice, Instant, Json, Names, Words

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)

# Numbers that are given out once. Not sequences: SQLite has none, and one mechanism is enough.
counters = Table(
    "counters",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", BigInteger, nullable=False),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("fingerprint", String(64), nullable=False, unique=True),
    Column("provider", Words, nullable=False),
    Column("kind", Words, nullable=False),
    Column("preview", Words, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("state", Choice(IncidentState), nullable=False),
    Column("sealed", String(80), nullable=False),
    Column("root", Words, nullable=False),
    Column("detected_at", Instant, nullable=False),
    Column("containment_requested_at", Instant),
    Column("containment_verified_at", Instant),
    Column("proven_dead_at", Instant),
    Column("closed_at", Instant),
    Column("regressions", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("mark", String(64), nullable=False, server_default=""),
    Index("ix_incidents_state", "state"),
)

exposures = Table(
    "exposures",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("incident", ForeignKey(incidents.c.id), nullable=False),
    Column("source", Words, nullable=False),
    Column("path", Words, nullable=False),
    Column("line", Integer, nullable=False),
    Column("column", Integer, nullable=False),
    Column("root", Words, nullable=False),
    Column("commit", Words),
    Column("author", Words),
    Column("exposed_at", Instant),
    Column("found_at", Instant, nullable=False),
    Column("rule", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("origin", Words, nullable=False, server_default=""),
    Column("about", Words, nullable=False, server_default=""),
    Column("url", Words, nullable=False, server_default=""),
    Column("copies", Names, nullable=False, server_default="[]"),
    # SHA-256 of the place: NULLs and long paths make a poor unique key.
    Column("place", String(64), nullable=False),
    Column("mark", String(64), nullable=False, server_default=""),
    UniqueConstraint("incident", "place"),
)

runs = Table(
    "runs",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident", ForeignKey(incidents.c.id), nullable=False, index=True),
    Column("kind", Choice(RunKind), nullable=False),
    Column("runbook", Words, nullable=False),
    Column("runbook_version", Integer, nullable=False),
    Column("state", Choice(RunState), nullable=False, index=True),
    Column("requester", Words, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("finished_at", Instant),
    Column("episode", Integer, nullable=False, server_default="0"),
    Column("pinned", Words, nullable=False, server_default=""),
    Column("digest", String(64), nullable=False, server_default=""),
    Column("mark", String(64), nullable=False, server_default=""),
)
# One run at a time works on an incident: two would undo each other's work.
Index(
    "uq_runs_active",
    runs.c.incident,
    unique=True,
    sqlite_where=runs.c.finished_at.is_(None),
    postgresql_where=runs.c.finished_at.is_(None),
)

steps = Table(
    "steps",
    metadata,
    Column("run", ForeignKey(runs.c.id), nullable=False),
    Column("id", String(128), nullable=False),
    Column("position", Integer, nullable=False),
    Column("phase", Choice(Phase), nullable=False),
    Column("uses", Words, nullable=False),
    Column("template", Json, nullable=False),
    Column("after", Names, nullable=False),
    Column("approval", Words),
    Column("state", Choice(StepState), nullable=False),
    Column("params", Json),
    Column("token", BigInteger, nullable=False),
    Column("lease_until", Instant),
    Column("due_at", Instant),
    Column("tries", Integer, nullable=False),
    Column("intended_at", Instant),
    Column("absent_at", Instant),
    Column("acted_at", Instant),
    Column("finished_at", Instant),
    Column("before", Json, nullable=False),
    Column("evidence", Json, nullable=False),
    Column("outputs", Json, nullable=False),
    Column("cursor", Json, nullable=False, server_default="{}"),
    Column("opened", Names, nullable=False, server_default="[]"),
    Column("item", Json),
    Column("error", Words),
    Column("remedy", Words),
    Column("mark", String(64), nullable=False, server_default=""),
    PrimaryKeyConstraint("run", "id"),
    Index("ix_steps_state", "state"),
)

approvals = Table(
    "approvals",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("incident", ForeignKey(incidents.c.id), nullable=False),
    Column("run", String(64), nullable=False),
    Column("step", String(128), nullable=False),
    Column("plan_hash", String(64), nullable=False),
    Column("policy", Words, nullable=False),
    Column("group", Words, nullable=False),
    Column("requester", Words, nullable=False),
    Column("asked_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    Column("decision", Choice(Decision), nullable=False),
    Column("decided_by", Words),
    Column("decided_at", Instant),
    Column("via", Words),
    Column("reason", Words),
    Column("mark", String(64), nullable=False, server_default=""),
    ForeignKeyConstraint(["run", "step"], ["steps.run", "steps.id"]),
    Index("ix_approvals_run", "run"),
    Index("ix_approvals_decision", "decision"),
)

outbox = Table(
    "outbox",
    metadata,
    # From ``counters``; given anew by every put, so that an old reading cannot remove a new wish.
    Column("id", BigInteger, nullable=False),
    Column("errand", Choice(Errand), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("due_at", Instant),
    PrimaryKeyConstraint("errand", "subject"),
    UniqueConstraint("id"),
)

cards = Table(
    "cards",
    metadata,
    Column("incident", ForeignKey(incidents.c.id), nullable=False),
    Column("notifier", String(32), nullable=False),
    Column("channel", Words, nullable=False),  # empty until it was shown
    Column("ts", Words, nullable=False),
    Column("digest", Words, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", Instant),
    PrimaryKeyConstraint("incident", "notifier"),
)

# No foreign keys: what is locked need not be in this store.
locks = Table(
    "locks",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("owner", String(255), nullable=False),
    Column("until", Instant, nullable=False),
)

workers = Table(
    "workers",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("lane", String(16), nullable=False),
    Column("version", String(32), nullable=False),
    Column("broker", Integer, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
)

# No foreign key to incidents: the record outlives whatever it records.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("at", Instant, nullable=False),
    Column("actor", Words, nullable=False),
    Column("action", Words, nullable=False),
    Column("incident", Integer, index=True),
    Column("detail", Json, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("mac", String(64), nullable=False),
    # The newest of an action, and those of the last hour, are asked for at every containment.
    Index("ix_ledger_action_at", "action", "at"),
)

envelopes = Table(
    "envelopes",
    metadata,
    Column("ref", String(80), nullable=False),
    Column("part", String(64), nullable=False),
    Column("incident", Integer, nullable=False),
    Column("name", String(64), nullable=False),
    Column("run", String(64)),
    Column("master_key", Words, nullable=False),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("nonce", LargeBinary, nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    PrimaryKeyConstraint("ref", "part"),
    # One run seals a name once; NULLs (the leak itself) do not collide.
    UniqueConstraint("run", "name", "part"),
)

fleets = Table(
    "fleets",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("name", Words, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("basis", Words, nullable=False),
    Column("commission", Json, nullable=False),
    Column("limits", Json, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("rung_at", Instant),
    Column("finished_at", Instant),
    Column("mark", String(64), nullable=False, server_default=""),
)

units = Table(
    "units",
    metadata,
    Column("fleet", ForeignKey(fleets.c.id), nullable=False),
    Column("source", Integer, nullable=False),
    Column("item", Integer, nullable=False),
    Column("name", Words, nullable=False),
    Column("host", String(255), nullable=False),
    Column("unit", Json, nullable=False),
    Column("state", Choice(UnitState), nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("lease_until", Instant),
    Column("due_at", Instant),
    Column("tries", Integer, nullable=False),
    Column("losses", Integer, nullable=False),
    Column("worker", Words, nullable=False),
    Column("began_at", Instant),
    Column("finished_at", Instant),
    Column("findings", Integer, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("complete", Boolean, nullable=False),
    Column("digest", String(64), nullable=False),  # of what it brought
    Column("error", Words),
    Column("remedy", Words),
    Column("mark", String(64), nullable=False, server_default=""),
    PrimaryKeyConstraint("fleet", "source", "item"),
    Index("ix_units_fleet_state", "fleet", "state"),
    Index("ix_units_host_state", "host", "state"),
)

# What units brought, compressed; apart, so that counting units reads none of it.
unit_results = Table(
    "unit_results",
    metadata,
    Column("fleet", String(40), nullable=False),
    Column("source", Integer, nullable=False),
    Column("item", Integer, nullable=False),
    Column("brought", LargeBinary, nullable=False),
    PrimaryKeyConstraint("fleet", "source", "item"),
    ForeignKeyConstraint(
        ["fleet", "source", "item"], ["units.fleet", "units.source", "units.item"]
    ),
)

# One token bucket for each name (a host that fleets ask, an account's budget of calls): when its
# next token would be due if everything before had been spent (GCRA).
paces = Table(
    "paces",
    metadata,
    Column("name", String(255), primary_key=True),
    Column("due_at", Instant, nullable=False),
)

# What is watched. Nothing that acts on a leak rests on these rows: at worst they cost a look.
sources = Table(
    "sources",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("watch", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", Words, nullable=False),
    Column("cursor", Json, nullable=False),
    Column("due_at", Instant),
    Column("wanted", BigInteger, nullable=False),
    Column("noticed_at", Instant),
    Column("looked_at", Instant),
    Column("tries", Integer, nullable=False),
    Column("error", Words, nullable=False),
    Column("remedy", Words, nullable=False),
    Column("gap", Words, nullable=False),
    Column("hint", Words, nullable=False),
    Column("found", Json, nullable=False),
    Column("measured", Json, nullable=False),
    Index("ix_sources_due_at", "due_at"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("watch", String(64), nullable=False),
    Column("id", String(128), nullable=False),
    Column("event", Words, nullable=False),
    Column("received_at", Instant, nullable=False),
    PrimaryKeyConstraint("watch", "id"),
    Index("ix_deliveries_received_at", "received_at"),
)

suspicions = Table(
    "suspicions",
    metadata,
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("source", ForeignKey(sources.c.id), nullable=False, index=True),
    Column("rule", Words, nullable=False),
    Column("place", Words, nullable=False),
    Column("reason", Words, nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("found_at", Instant, nullable=False),
    Column("state", Choice(Judged), nullable=False),
    Column("incident", Integer),
)

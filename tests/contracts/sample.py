"""Rows to store: each whole, with what a test changes given by name."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stanch.responder.domain.approval import Approval
from stanch.responder.domain.ids import ApprovalId, IncidentId, RunId, SealedRef
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.ports import Envelope
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun
from stanch.responder.domain.runbook import Phase
from stanch.responder.store.sql import SqlStore

NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LEASE = timedelta(seconds=30)
RUN = RunId("run-1")


def incident(number: int = 1, **changes: object) -> Incident:
    base = Incident(
        id=IncidentId(number),
        fingerprint=f"v1:{number:032x}",
        provider="aws",
        kind="access-key",
        preview="AKIA…7Q2M",
        severity="critical",
        state=IncidentState.OPEN,
        sealed=SealedRef("sealed:00"),
        root="shop",
        detected_at=NOW,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def exposure(**changes: object) -> Exposure:
    base = Exposure(
        copies=("log:github/github.com/acme/app/runs/1",),
        source="git-history",
        path="deploy/env.sh",
        line=12,
        column=23,
        root="shop",
        commit="c0ffee",
        author="Ann <ann@example.org>",
        exposed_at=NOW - timedelta(days=3),
        found_at=NOW,
        rule="aws-access-key",
        reason="prefix",
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def run(number: int = 1, **changes: object) -> Run:
    base = Run(
        id=RunId(f"run-{number}"),
        incident=IncidentId(1),
        kind=RunKind.RESPOND,
        runbook="aws-access-key",
        runbook_version=1,
        state=RunState.RUNNING,
        requester="ann",
        started_at=NOW + timedelta(seconds=number),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def step(name: str = "disable", **changes: object) -> StepRun:
    base = StepRun(
        run=RUN,
        id=name,
        position=1,
        phase=Phase.CONTAIN,
        uses="aws.iam.disable_access_key",
        template={"user": "${owner.user}"},
        after=("classify", "owner"),
        approval=None,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def approval(**changes: object) -> Approval:
    base = Approval(
        id=ApprovalId("a-1"),
        incident=IncidentId(1),
        run=RUN,
        step="disable",
        plan_hash="0" * 64,
        policy="two-people",
        group="security",
        requester="ann",
        asked_at=NOW,
        expires_at=NOW + LEASE,
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def envelope(**changes: object) -> Envelope:
    base = Envelope(
        ref=SealedRef("sealed:00"),
        part="secret",
        incident=IncidentId(1),
        name="replacement",
        run=RUN,
        master_key="local:0",
        wrapped_key=b"\x00\xff",
        nonce=b"n" * 12,
        ciphertext=bytes(range(256)),
    )
    return replace(base, **changes)  # type: ignore[arg-type]  # the caller names real fields


def begin(store: SqlStore, *steps: StepRun) -> None:
    with store.transaction() as tx:
        tx.incidents.add(incident())
        tx.runs.add(run(), steps or (step(),))

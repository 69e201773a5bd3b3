"""Cards at the moments a person sees them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stanch.responder.domain.card import Ask, Card, Decider, Mark, Tone
from stanch.responder.domain.ids import ApprovalId, IncidentId
from stanch.responder.domain.runbook import Phase

NOW = datetime(2026, 11, 22, 14, 3, 12, tzinfo=UTC)


def phases(*marks: Mark) -> tuple[tuple[Phase, Mark], ...]:
    return tuple(zip(Phase, marks, strict=True))


@pytest.fixture
def live() -> Card:
    return Card(
        incident=IncidentId(7),
        version=1,
        tone=Tone.ALARM,
        headline="LIVE · AWS access key · LK-7",
        summary="The key works. Containment has been requested.",
        facts=(
            ("Key", "AKIA…7Q2M"),
            ("Found in", "payments deploy/env.sh:12 (commit 4be1a90) and 2 more places"),
            ("Owner", "deploy"),
            ("Exposed since", "2026-11-20 09:12:44 UTC"),
        ),
        phases=phases(Mark.NOW, Mark.AHEAD, Mark.AHEAD, Mark.AHEAD, Mark.AHEAD),
        ask=None,
        failure=None,
        updated_at=NOW,
    )


@pytest.fixture
def contained(live: Card) -> Card:
    return replace(
        live,
        version=2,
        tone=Tone.SAFE,
        headline="CONTAINED · AWS access key · LK-7",
        summary="Disabled 14:03:12 and proven refused.",
        phases=phases(Mark.DONE, Mark.NOW, Mark.AHEAD, Mark.AHEAD, Mark.AHEAD),
        updated_at=NOW + timedelta(seconds=4),
    )


@pytest.fixture
def asking(contained: Card) -> Card:
    return replace(
        contained,
        version=3,
        tone=Tone.WAITING,
        summary="Disabled 14:03:12. Still to do: delete it.",
        phases=phases(Mark.DONE, Mark.DONE, Mark.NOW, Mark.AHEAD, Mark.AHEAD),
        ask=Ask(
            deciders=(Decider("bob"), Decider("dave")),
            approval=ApprovalId("a1"),
            title="Delete key AKIA…7Q2M. This cannot be undone.",
            calls=("iam:DeleteAccessKey UserName=deploy AccessKeyId=AKIA…7Q2M",),
            requester="alice",
            group="security",
            expires_at=NOW + timedelta(hours=1),
            silence="the key stays disabled and is not deleted",
            plan_hash="9f" * 32,
        ),
    )


@pytest.fixture
def stuck(asking: Card) -> Card:
    return replace(
        asking,
        version=4,
        tone=Tone.FAILED,
        headline="STUCK · AWS access key · LK-7",
        ask=None,
        failure="AWS refused iam:DeleteAccessKey (AccessDenied). The key is still disabled.",
        phases=phases(Mark.DONE, Mark.DONE, Mark.FAILED, Mark.AHEAD, Mark.AHEAD),
    )


@pytest.fixture
def dead(asking: Card) -> Card:
    return replace(
        asking,
        version=5,
        tone=Tone.SAFE,
        headline="PROVEN DEAD · AWS access key · LK-7",
        summary="Key and sessions are refused since 14:03:16. Nothing is left to do.",
        ask=None,
        phases=phases(*[Mark.DONE] * 5),
    )

"""An approval: one person's word, for one exact plan, for a limited time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from stanch.responder.domain.error import ApprovalRefused, UsageError
from stanch.responder.domain.ids import ApprovalId, IncidentId, RunId, label


class Decision(StrEnum):
    """Where an approval stands. Everything but OPEN is final."""

    OPEN = "open"
    GRANTED = "granted"
    DENIED = "denied"
    EXPIRED = "expired"
    VOID = "void"  # the plan changed after it was asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Someone who may decide. ``slack`` is ``team_id/user_id``: names are no identities there.

    ``account`` is the operating system's user from which alone they speak on the command line.
    """

    name: str
    groups: frozenset[str]
    slack: str | None = None
    account: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """A request for one person's word on the step ``step`` of ``run`` under ``plan_hash``."""

    id: ApprovalId
    incident: IncidentId
    run: RunId
    step: str
    plan_hash: str
    policy: str
    group: str
    requester: str
    asked_at: datetime
    expires_at: datetime
    decision: Decision = Decision.OPEN
    decided_by: str | None = None
    decided_at: datetime | None = None
    via: str | None = None
    reason: str | None = None


def decide(  # noqa: PLR0913  # a decision takes exactly these facts
    approval: Approval,
    *,
    by: Person,
    via: str,
    granted: bool,
    reason: str,
    plan_hash: str,
    now: datetime,
    askers: frozenset[str] = frozenset(),
) -> Approval:
    """The decided approval, or :class:`ApprovalRefused`; ``askers`` started or took up the run."""
    require_decider(approval, by=by, plan_hash=plan_hash, now=now, askers=askers)
    return replace(
        approval,
        decision=Decision.GRANTED if granted else Decision.DENIED,
        decided_by=by.name,
        decided_at=now,
        via=via,
        reason=reasoned(reason),
    )


def require_decider(
    approval: Approval,
    *,
    by: Person,
    plan_hash: str,
    now: datetime,
    askers: frozenset[str] = frozenset(),
) -> None:
    """Raises ApprovalRefused when this person cannot decide on this plan now."""
    what = f"approval for {label(approval.incident)} step {approval.step!r}"
    again = f"`stanch respond {label(approval.incident)}` asks again"
    if approval.decision is not Decision.OPEN:
        raise ApprovalRefused(f"{what} is already {approval.decision}", remedy=again)
    if now >= approval.expires_at:
        raise ApprovalRefused(f"{what} expired at {approval.expires_at:%H:%M:%S} UTC", remedy=again)
    if plan_hash != approval.plan_hash:
        raise ApprovalRefused(f"{what} was asked for another plan", remedy=again)
    if by.name in askers | {approval.requester}:
        raise ApprovalRefused(
            f"{by.name} asked for this {what} and cannot also give it",
            remedy=f"another member of {approval.group!r} must decide: "
            f"`stanch approve {label(approval.incident)} --as NAME`",
        )
    if approval.group not in by.groups:
        raise ApprovalRefused(
            f"{by.name} is not in the group {approval.group!r}",
            remedy=f"someone of {approval.group!r} must decide; see [people] in stanch.toml",
        )


SHORTEST_REASON = 10  # characters: what an auditor can do something with


def reasoned(text: str) -> str:
    """The reason as it goes on the record; UsageError when it says nothing."""
    said = " ".join(text.split())
    if len(said) < SHORTEST_REASON:
        raise UsageError(
            f"a reason has at least {SHORTEST_REASON} characters",
            remedy="say in a few words why: it goes on the record",
        )
    return said


def find_person(people: Mapping[str, Person], name: str) -> Person:
    """The person called ``name`` in the configuration."""
    if name not in people:
        known = ", ".join(sorted(people)) or "nobody yet"
        raise ApprovalRefused(
            f"{name!r} is not a known person",
            remedy=f"say who you are with --as NAME; known: {known}; others are added to "
            "stanch.toml [people] and sealed with `stanch audit people --seal`",
        )
    return people[name]

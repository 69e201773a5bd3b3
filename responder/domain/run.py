"""A run of a plan: the state machine that lives in the database."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stanch.responder.domain.claim import Claim, read_claim
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.runbook import Phase


class RunKind(StrEnum):
    """Why the run exists."""

    RESPOND = "respond"
    UNDO = "undo"


class RunState(StrEnum):
    """Derived from its steps, stored for cheap queries."""

    RUNNING = "running"
    WAITING_APPROVAL = "waiting-approval"
    DONE = "done"
    FAILED = "failed"
    ABORTED = "aborted"

    @property
    def over(self) -> bool:
        """True when nothing more will happen by itself."""
        return self in {RunState.DONE, RunState.FAILED, RunState.ABORTED}


class StepState(StrEnum):
    """Where one step stands."""

    PENDING = "pending"
    RUNNING = "running"  # somebody holds the lease (or died holding it)
    WAITING = "waiting"  # due again at due_at
    BLOCKED = "blocked"  # wants an approval
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"

    @property
    def over(self) -> bool:
        """True when the step will not run again."""
        return self in {StepState.DONE, StepState.FAILED, StepState.SKIPPED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a runbook (or of its undo) for an incident."""

    id: RunId
    incident: IncidentId
    kind: RunKind
    runbook: str
    runbook_version: int
    state: RunState
    requester: str
    started_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of a run. ``token`` fences: a write with an older token is refused.

    ``params`` is None until every reference could be resolved. ``before`` is what ``observe`` saw
    when it found the effect absent, at ``absent_at``: from then on the effect is ours, and undo may
    take it back. ``tries`` counts attempts in a row that ended in a retryable error.
    """

    run: RunId
    id: str
    position: int
    phase: Phase
    uses: str
    template: JsonObject
    after: tuple[str, ...]
    approval: str | None
    state: StepState = StepState.PENDING
    params: JsonObject | None = None
    token: int = 0
    lease_until: datetime | None = None
    due_at: datetime | None = None
    tries: int = 0
    intended_at: datetime | None = None
    absent_at: datetime | None = None
    acted_at: datetime | None = None
    finished_at: datetime | None = None
    before: JsonObject = field(default_factory=dict)
    evidence: JsonObject = field(default_factory=dict)
    outputs: JsonObject = field(default_factory=dict)
    error: str | None = None
    remedy: str | None = None


def newest_claim(steps: Iterable[StepRun]) -> Claim | None:
    """What was proven last by these steps; None when nothing was."""
    claims = [
        claim
        for step in steps
        if step.state is StepState.DONE and (claim := read_claim(step.evidence))
    ]
    return max(claims, key=lambda claim: claim.seen_at, default=None)

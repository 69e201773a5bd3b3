"""A run of a plan: the state machine that lives in the database."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stanch.responder.domain.claim import Claim, read_claim
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.json import JsonObject, JsonValue
from stanch.responder.domain.runbook import Phase


class RunKind(StrEnum):
    """Why the run exists."""

    RESPOND = "respond"
    UNDO = "undo"


class RunState(StrEnum):
    """Derived from its steps, or a person's word; stored for cheap queries."""

    RUNNING = "running"
    WAITING_APPROVAL = "waiting-approval"
    PAUSED = "paused"  # a person said: nothing more until somebody resumes it
    DONE = "done"
    FAILED = "failed"
    ABORTED = "aborted"  # refused, or given up for another run
    CANCELLED = "cancelled"  # a person said: leave everything as it is

    @property
    def over(self) -> bool:
        """True when nothing more will happen by itself."""
        return self in _ENDED

    @property
    def works(self) -> bool:
        """True while its steps may be claimed and may write what they did."""
        return not self.over and self is not RunState.PAUSED


_ENDED = frozenset({RunState.DONE, RunState.FAILED, RunState.ABORTED, RunState.CANCELLED})


class StepState(StrEnum):
    """Where one step stands."""

    PENDING = "pending"
    RUNNING = "running"  # somebody holds the lease (or died holding it)
    WAITING = "waiting"  # due again at due_at
    BLOCKED = "blocked"  # wants an approval
    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"  # refused, or its run was given up
    OMITTED = "omitted"  # its `when:` did not hold

    @property
    def over(self) -> bool:
        """True when the step will not run again by itself."""
        return self in {StepState.DONE, StepState.FAILED, StepState.SKIPPED, StepState.OMITTED}

    @property
    def passed(self) -> bool:
        """True when what comes after this step may begin."""
        return self in {StepState.DONE, StepState.OMITTED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One execution of a runbook (or of its undo) for an incident.

    ``episode`` says which leak of the credential it answers: the incident's ``regressions`` when
    it began. ``pinned`` is the runbook that the run follows to its end, whatever is installed
    later, and ``digest`` what the record says of it.
    """

    id: RunId
    incident: IncidentId
    kind: RunKind
    runbook: str
    runbook_version: int
    state: RunState
    requester: str
    started_at: datetime
    finished_at: datetime | None = None
    episode: int = 0
    pinned: str = ""
    digest: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepRun:
    """One step of a run. ``token`` fences: a write with an older token is refused.

    ``params`` is None until every reference could be resolved. ``before`` is what ``observe`` saw
    when it found the effect absent, at ``absent_at``: from then on the effect is ours, and undo may
    take it back. ``tries`` counts attempts in a row that ended in a retryable error. ``cursor`` is
    how far a long step has come, ``opened`` which secrets the record says that it opened, ``item``
    which element of a list this row is for.
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
    cursor: JsonObject = field(default_factory=dict)
    opened: tuple[str, ...] = ()
    item: JsonValue = None
    error: str | None = None
    remedy: str | None = None

    def acting(self, now: datetime) -> bool:
        """True while its holder may be in the middle of the act: nobody knows how it ends yet."""
        return (
            self.state is StepState.RUNNING
            and self.absent_at is not None
            and self.acted_at is None
            and self.lease_until is not None
            and self.lease_until > now
        )


def pending_undo(run: Run, steps: Iterable[StepRun]) -> bool:
    """An undo that has begun nothing: everything is as it was when it was asked for."""
    return run.kind is RunKind.UNDO and not any(step.intended_at for step in steps)


def latest(
    runs: Sequence[tuple[Run, Sequence[StepRun]]],
) -> tuple[Run | None, Run | None]:
    """The run that says how things stand, and the undo that was asked for since, if any.

    An undo counts as soon as it has begun. One that ended before that is told until something else
    goes on.
    """
    counts = [run for run, steps in runs if not pending_undo(run, steps)]
    newest, last = counts[-1] if counts else None, runs[-1][0] if runs else None
    if last is None or last == newest:
        return newest, None
    went_on = newest is not None and (newest.finished_at or last.started_at) > last.started_at
    return newest, None if last.state.over and (went_on or not _rests(newest)) else last


def _rests(run: Run | None) -> bool:
    return run is None or run.state.over


def newest_claim(steps: Iterable[StepRun]) -> Claim | None:
    """What was proven last by these steps; None when nothing was."""
    claims = [
        claim
        for step in steps
        if step.state is StepState.DONE and (claim := read_claim(step.evidence))
    ]
    return max(claims, key=lambda claim: claim.seen_at, default=None)

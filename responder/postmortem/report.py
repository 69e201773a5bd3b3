"""The report as values: what the renderers and the chart draw, already cleaned for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from stanch.responder.domain.runbook import Phase


class Lane(StrEnum):
    """Who acted. The record cannot tell an attacker from a consumer who uses the same key."""

    KEY_HOLDER = "key holder"
    TOOLING = "tooling"
    PEOPLE = "people"


class Tone(StrEnum):
    """How the status should feel."""

    ALARM = "alarm"
    WAITING = "waiting"
    SAFE = "safe"


class ActionKind(StrEnum):
    """What an action item is meant to change the next time."""

    PREVENT = "prevent"
    DETECT = "detect"
    MITIGATE = "mitigate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Where a claim can be checked. ``seq`` is the ledger entry, when there is one."""

    text: str  # "#12 9f3a11c2", or "commit 1a2b3c4d"
    seq: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One row of the timeline. A ``minor`` one is bookkeeping, for who checks the rest."""

    at: datetime
    lane: Lane
    what: str
    evidence: Evidence | None
    milestone: bool = False
    minor: bool = False
    who: str = ""  # the person, where the record names one


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """How long the credential could be used by whoever found it.

    ``at_least`` is True when a copy may be older than ``opened_at``. ``closed_at`` is None while
    containment is not verified; ``lasted`` then runs to the moment of the report.
    """

    opened_at: datetime
    closed_at: datetime | None
    lasted: timedelta
    at_least: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A duration counted from detection. ``goal`` is None where the house sets none."""

    name: str
    what: str
    at: datetime | None
    took: timedelta | None
    goal: timedelta | None

    @property
    def met(self) -> bool | None:
        """Whether the goal was met; None when there is no goal or no end yet."""
        if self.took is None or self.goal is None:
            return None
        return self.took <= self.goal


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One place where the credential was visible: a row of the exposure inventory."""

    source: str
    root: str
    place: str  # path:line:column
    commit: str | None
    author: str | None
    exposed_at: datetime | None
    found_at: datetime
    rule: str
    reason: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """One step as it went. ``verified_at`` is None unless a fresh look showed the effect."""

    id: str
    title: str
    phase: Phase
    state: str
    intended_at: datetime | None
    acted_at: datetime | None
    verified_at: datetime | None
    ended_at: datetime | None
    reversible: str  # "yes", "no", "changes nothing" or "not declared"
    evidence: tuple[tuple[str, str], ...]
    evidence_hash: str
    records: tuple[Evidence, ...]
    error: str | None
    remedy: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """One run with its steps. ``earlier`` runs belong to a round before the last reopening."""

    run: str
    kind: str
    runbook: str
    state: str
    started_at: datetime
    finished_at: datetime | None
    earlier: bool
    acts: tuple[Act, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Consent:
    """One approval: who asked, who decided, for which exact plan."""

    step: str
    policy: str
    group: str
    requester: str
    asked_at: datetime
    expires_at: datetime
    decision: str
    decided_by: str | None
    decided_at: datetime | None
    latency: timedelta | None
    via: str | None
    reason: str | None
    plan_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One call that was made with the credential."""

    at: datetime
    api: str
    ip: str
    outcome: str
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """What the audit trail says about the credential's use.

    ``count`` is the trail's own total; ``uses`` may be fewer (a bounded sample). The split into
    before, between and after is counted over ``uses``. ``answered_late`` counts calls that were
    answered after containment was verified: it must be 0. ``own`` counts the
    responder's own attempts, which stand in no other number.
    """

    count: int
    denied: int
    first_at: datetime | None
    last_at: datetime | None
    source_ips: tuple[str, ...]
    user_agents: tuple[str, ...]
    apis: tuple[str, ...]
    children: tuple[str, ...]
    uses: tuple[Use, ...]
    before_detection: int
    after_detection: int
    answered_late: int
    own: int
    complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionItem:
    """Something to do, with the fact that asks for it. ``owner`` is None until one is named.

    ``id`` is a short name that stays the same while the fact does.
    """

    id: str
    kind: ActionKind
    what: str
    because: str
    owner: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One ledger entry of the evidence manifest."""

    seq: int
    at: datetime
    action: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an auditor needs to check the report without trusting it."""

    first_seq: int | None
    last_seq: int | None
    verdict: str
    head: str | None
    records: tuple[Record, ...]
    records_left_out: int
    hashes: tuple[tuple[str, str], ...]  # what, sha256 hex over its canonical JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """A person's word that the incident is over."""

    by: str
    at: datetime
    reason: str
    evidence: Evidence
    disposition: str = ""  # what it turned out to be, where nothing had to be proven dead


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A postmortem. All text is plain, bounded and free of control characters."""

    label: str
    title: str
    status: str
    tone: Tone
    summary: str
    severity: str
    preview: str
    fingerprint: str
    root: str
    regressions: int
    written_at: datetime
    detected_at: datetime
    window: Window
    clocks: tuple[Clock, ...]
    moments: tuple[Moment, ...]
    moments_left_out: int
    copies: tuple[Copy, ...]
    copies_left_out: int
    passages: tuple[Passage, ...]
    consents: tuple[Consent, ...]
    activity: Activity | None
    residual: tuple[str, ...]
    unknown: tuple[str, ...]
    actions: tuple[ActionItem, ...]
    manifest: Manifest
    prompts: tuple[str, ...]
    closed: Closed | None = None
    unreached: str = "not yet"  # of a clock that has not stopped
    proven: tuple[str, ...] = ()  # the claim, statement by statement
    tampered: tuple[str, ...] = ()  # said before everything else

    @property
    def current_acts(self) -> tuple[Act, ...]:
        """The steps of this round, in the order they were planned."""
        return tuple(act for run in self.passages if not run.earlier for act in run.acts)

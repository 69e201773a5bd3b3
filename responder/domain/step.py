"""What a step is: a declared consequence, and the few ways it can turn out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol, TypeVar, runtime_checkable

from stanch.responder.domain.claim import Claim
from stanch.responder.domain.ids import IncidentId, RunId, SealedRef
from stanch.responder.domain.incident import Exposure
from stanch.responder.domain.json import JsonObject, JsonValue
from stanch.responder.domain.resolved_type import resolved
from stanch.scanner.model.secret import SecretValue

BY = "by"  # in a step's evidence: whose act it was, where the answer to ours was lost
SOMEBODY = "we or somebody else: the answer to our call was lost"


class Effect(StrEnum):
    """What a step does to the world."""

    READ = "read"
    REVERSIBLE = "reversible"
    FINAL = "final"


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One exact call, as a person should see it in a plan. Values are masked, never secret."""

    api: str  # "iam:UpdateAccessKey"
    arguments: Mapping[str, str]
    words: str = ""  # for what no machine does: how people say it

    def __str__(self) -> str:
        if self.words:
            return self.words
        return f"{self.api} " + " ".join(f"{k}={v}" for k, v in self.arguments.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What a provider allows each account: one step that spends ``name``, ``every`` so long."""

    name: str
    every: timedelta


@dataclass(frozen=True, slots=True, kw_only=True)
class StepSpec:
    """A step's declaration: everything that a plan, a policy or `doctor` must know beforehand.

    ``parts`` names the parts of the leaked credential that the step may open, ``opens`` the secrets
    born in the run, which is on the record with its intent; ``permissions`` the
    IAM actions (or scopes) it calls, ``undo`` the step that reverses it; ``outputs`` the keys that
    later steps may refer to as ``${step-id.key}``. A step that ``proves`` ends with a claim, and
    only such a step moves an incident on. What is ``aside`` acts on a copy of the credential, not
    on the credential: whether it succeeds or is refused, the rest of the run goes on.
    ``pace``: each such step begins with a call of which the provider allows an account only so
    many; all workers together keep to it.
    """

    name: str  # "aws.iam.disable_access_key"
    title: str  # "Disable access key"
    effect: Effect
    params: type[object]  # a frozen dataclass
    permissions: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    opens: tuple[str, ...] = ()
    undo: str | None = None
    outputs: tuple[str, ...] = ()
    proves: bool = False
    grows: bool = False  # a look that may find more later: it looks again before people are asked
    aside: bool = False
    shares: str | None = None  # parameter naming what several runs change: one at a time does
    pace: Pace | None = None

    def __post_init__(self) -> None:
        if self.proves and self.effect is not Effect.READ:
            raise ValueError(f"{self.name}: only a fresh look proves")
        if (self.undo is not None) != (self.effect is Effect.REVERSIBLE):
            raise ValueError(f"{self.name}: a reversible step names its undo, no other step does")
        resolved(self.params)


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The effect is there already: nothing to do. ``evidence`` says how that was seen.

    ``ours`` matters when an act of ours was begun and its answer was lost: whether what shows
    bears our mark (True), another's (False), or nobody's (None: it may be either's).
    """

    evidence: JsonObject
    ours: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Absent:
    """The effect is not there. ``before`` is what undo will need to know."""

    before: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verified:
    """A fresh look showed the effect. ``outputs`` are for later steps.

    ``claim`` is what a proof says: what it covers and what it leaves uncovered.
    """

    evidence: JsonObject
    outputs: Mapping[str, JsonValue] = field(default_factory=dict)
    claim: Claim | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotYet:
    """The world has not settled; look again after ``after``.

    ``until``: it is known to take that long, so until then nobody need worry.
    """

    why: str
    after: timedelta
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoOn:
    """There is more to look at: what was seen so far is kept in ``cursor`` for the next attempt.

    Long steps return it every few seconds, so that others get their turn and a crash costs little.
    """

    cursor: JsonObject
    after: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuted:
    """A fresh look shows that the effect is not there and will not come by waiting.

    ``stranger``: because the credential is somebody else's, who has to be told.
    """

    why: str
    remedy: str
    stranger: bool = False


Verdict = Verified | NotYet | GoOn | Refuted


class StepContext(Protocol):
    """What a step may touch besides its own client."""

    @property
    def incident(self) -> IncidentId:
        """The incident being worked on."""

    @property
    def run(self) -> RunId:
        """The run this step belongs to."""

    @property
    def runs(self) -> tuple[RunId, ...]:
        """All runs of the incident: what they left behind at the provider is our own."""

    @property
    def step(self) -> str:
        """The step's id in its runbook."""

    @property
    def preview(self) -> str:
        """The masked credential, for evidence and messages."""

    @property
    def rule(self) -> str:
        """The rule that found it first; empty when that is not known."""

    @property
    def exposures(self) -> tuple[Exposure, ...]:
        """Every place where the credential was seen."""

    @property
    def idempotency_key(self) -> str:
        """32 hex digits, the same for every attempt at this step of this run."""

    @property
    def before(self) -> JsonObject:
        """What ``observe`` saw when the intent was written, on every later attempt too."""

    @property
    def started_at(self) -> datetime:
        """When the intent was written: the same for every attempt."""

    @property
    def cursor(self) -> JsonObject:
        """What the last attempt of this step returned in ``GoOn``; empty at first."""

    def now(self) -> datetime:
        """The current time, UTC."""

    def has(self, part: str) -> bool:
        """Whether the leak included this part; a lone key id has no secret."""

    def open(self, part: str) -> SecretValue:
        """A part of the leaked credential that the spec declares. Every opening is recorded."""

    def seal(self, name: str, parts: Mapping[str, SecretValue]) -> SealedRef:
        """Store a secret born in this run (a replacement key) durably before anything else."""

    def sealed(self, name: str) -> SealedRef | None:
        """The secret sealed under ``name`` for this run, if any."""

    def open_sealed(self, name: str, part: str) -> SecretValue:
        """Open a secret born in this run. Recorded like every opening."""


P_contra = TypeVar("P_contra", contravariant=True)


class Lookup(Protocol[P_contra]):
    """A step that only looks (``Effect.READ``)."""

    spec: ClassVar[StepSpec]

    def calls(self, params: P_contra, preview: str) -> tuple[Call, ...]:
        """The exact calls, masked. Must not touch the network."""

    def look(self, params: P_contra, ctx: StepContext) -> Verdict:
        """Look at the world."""


@runtime_checkable
class Change(Protocol[P_contra]):
    """A step that changes the world: intend, observe, act, verify, record."""

    spec: ClassVar[StepSpec]

    def calls(self, params: P_contra, preview: str) -> tuple[Call, ...]:
        """The exact calls, masked. Must not touch the network."""

    def observe(self, params: P_contra, ctx: StepContext) -> Present | Absent:
        """Is the effect there already? Runs before every act, also after a crash."""

    def act(self, params: P_contra, ctx: StepContext) -> JsonObject:
        """Make the change; return evidence (request ids). Raise Retryable or StepFailed."""

    def verify(self, params: P_contra, ctx: StepContext) -> Verdict:
        """A fresh look at the world: a 2xx is not a result."""


@runtime_checkable
class Foreseen(Protocol[P_contra]):
    """A lookup of which a plan can say beforehand what it will most likely find."""

    def foresee(self, params: P_contra, kept: Mapping[str, str]) -> Mapping[str, JsonValue]:
        """Its outputs; ``kept`` are the known copies, each with its page. Touches nothing."""


Step = Lookup[object] | Change[object]

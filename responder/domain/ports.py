"""What the rooms need from the outside, as protocols. ``stanch.responder.bootstrap`` joins them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple, Protocol

from stanch.responder.domain.approval import Approval
from stanch.responder.domain.card import Card, CardRef
from stanch.responder.domain.ids import ApprovalId, IncidentId, RunId, SealedRef
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.run import Run, StepRun
from stanch.responder.domain.timeline import Entry, Event
from stanch.scanner.model.secret import SecretValue


class Errand(StrEnum):
    """What a doorbell can ask for. The subject is always an id, never data."""

    CONTAIN = "contain"  # subject: run id; only what its containment needs
    ADVANCE = "advance"  # subject: run id; the rest of it
    NOTIFY = "notify"  # subject: incident number
    SCAN = "scan"  # subject: fleet id; one unit of it


class Incidents(Protocol):
    """Incidents and their exposures."""

    def by_fingerprint(self, fingerprint: str) -> Incident | None:
        """The incident for this secret, locked until the transaction ends."""

    def get(self, incident: IncidentId) -> Incident | None:
        """One incident."""

    def list(self, states: Sequence[IncidentState] = ()) -> tuple[Incident, ...]:
        """Newest first; all states when none is named."""

    def next_id(self) -> IncidentId:
        """A number never given before (gaps are fine)."""

    def add(self, incident: Incident) -> None:
        """Insert; a second incident with the same fingerprint is an error."""

    def save(self, incident: Incident) -> Incident:
        """Update where ``version`` is unchanged; returns it with ``version + 1``."""

    def expose(self, incident: IncidentId, exposure: Exposure) -> bool:
        """Add a sighting; False when that place is known already."""

    def unanswered(self) -> tuple[Incident, ...]:
        """Open incidents without a run for this episode of the leak, oldest first."""

    def exposures(self, incident: IncidentId) -> tuple[Exposure, ...]:
        """All sightings, oldest exposure first (unknown ``exposed_at`` sorts by ``found_at``)."""


class Runs(Protocol):
    """Runs and their steps."""

    def add(self, run: Run, steps: Sequence[StepRun]) -> None:
        """Insert a run with all its steps."""

    def get(self, run: RunId) -> Run | None:
        """One run."""

    def of(self, incident: IncidentId) -> tuple[Run, ...]:
        """All runs of an incident, oldest first."""

    def open(self) -> tuple[Run, ...]:
        """Every run that is not over, oldest first."""
        ...

    def active(self, incident: IncidentId) -> Run | None:
        """The one run of an incident that is not over."""

    def save(self, run: Run) -> None:
        """Update a run's state. A second run of an incident that is not over is an error."""

    def steps(self, run: RunId) -> tuple[StepRun, ...]:
        """A run's steps by position."""

    def claim(self, run: RunId, step: str, *, now: datetime, lease: timedelta) -> StepRun | None:
        """Take the step if it is pending, blocked, waiting and due, or running with a lapsed lease.

        Atomically sets it running with ``token + 1`` and a new lease; None when another has it.
        """

    def grow(self, steps: Sequence[StepRun]) -> None:
        """Add rows to a run: the elements that a step is repeated for."""

    def fence(self, step: StepRun) -> StepRun:
        """Raise the token, so that whoever holds the step can write no more; returns the row."""

    def renew(self, step: StepRun, *, until: datetime) -> None:
        """Prolong the lease, or raise LeaseLost when ``step.token`` is not the newest."""

    def write(self, step: StepRun) -> None:
        """Store the step as given, or raise LeaseLost when ``step.token`` is not the newest."""

    def held(self, now: datetime) -> tuple[StepRun, ...]:
        """The steps, of any run, that somebody holds now."""

    def due(self, now: datetime) -> tuple[RunId, ...]:
        """Runs that work and have a step that could be claimed now, or no step left.

        A pending or blocked step counts whatever its dependencies are: ringing once too often is
        harmless. With no step left, the run itself has yet to be settled. A failed run counts
        while a failed step of it has a due time that has come, one that was stopped while a step
        of it is held by nobody any more.
        """


class Approvals(Protocol):
    """Requests for a person's word."""

    def add(self, approval: Approval) -> None:
        """Insert."""

    def get(self, approval: ApprovalId) -> Approval | None:
        """One approval, locked until the transaction ends."""

    def of(self, run: RunId) -> tuple[Approval, ...]:
        """All approvals of a run, oldest first."""

    def save(self, approval: Approval) -> None:
        """Store a decision."""

    def overdue(self, now: datetime) -> tuple[Approval, ...]:
        """Open approvals past their expiry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """An errand waiting in the outbox."""

    id: int
    errand: Errand
    subject: str
    tries: int


class Outbox(Protocol):
    """Errands written in the same transaction as the change that wants them."""

    def put(self, errand: Errand, subject: str) -> None:
        """Ask for an errand; an equal one that is still waiting absorbs this one."""

    def waiting(self, now: datetime, errand: Errand | None = None) -> tuple[Message, ...]:
        """Errands that are due."""

    def done(self, message: Message) -> None:
        """Remove it, unless it was put again since it was read."""

    def later(self, message: Message, due_at: datetime) -> None:
        """Try again at ``due_at``; counts one try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Where a notifier put a card, what it shows, and when to try again after a failure."""

    ref: CardRef | None = None
    digest: str = ""
    tries: int = 0  # failures in a row
    due_at: datetime | None = None  # not before this


class Cards(Protocol):
    """Where each notifier put an incident's card."""

    def get(self, incident: IncidentId, notifier: str) -> Shown:
        """What is known of this card; an empty one when nothing was shown yet."""

    def save(self, incident: IncidentId, notifier: str, shown: Shown) -> None:
        """Remember it."""


class Locks(Protocol):
    """Who may touch what several runs or workers share. A lock ends by itself."""

    def take(self, name: str, owner: str, *, now: datetime, until: datetime) -> bool:
        """Take or prolong the lock; False while somebody else has it."""

    def free(self, name: str, owner: str) -> None:
        """Give it back, if it is still ours."""

    def held(self, now: datetime) -> Mapping[str, str]:
        """Owners by the names of the locks that are taken."""


class Paces(Protocol):
    """How often something may be asked, whichever worker asks."""

    def spend(self, name: str, every: timedelta, now: datetime) -> datetime:
        """Take the next turn; the moment at which it comes, now or later."""


class Ledger(Protocol):
    """The append-only record, written in the same transaction as what it records."""

    def append(self, event: Event) -> Entry:
        """Chain and protect one event. If this fails, the transaction must fail."""

    def entries(self, incident: IncidentId | None = None) -> Iterator[Entry]:
        """All entries by sequence, or those of one incident."""

    def newest(self, action: str) -> Event | None:
        """The newest entry of this action; Tampered when it is not of our key."""

    def since(self, action: str, at: datetime) -> tuple[Event, ...]:
        """Entries of this action from ``at`` on; Tampered when one is not of our key."""

    def sworn(self, incident: IncidentId) -> tuple[Event, ...]:
        """What the record says of an incident; Tampered when an entry is not ours, or is gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """One sealed part as stored. Nothing in it is secret without the master key."""

    ref: SealedRef
    part: str
    incident: IncidentId
    name: str  # "leak", or the name a step sealed under
    run: RunId | None
    master_key: str  # which master key wraps the data key
    wrapped_key: bytes
    nonce: bytes
    ciphertext: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealed:
    """A secret that is encrypted and not stored yet."""

    ref: SealedRef
    envelopes: tuple[Envelope, ...]

    def keep(self, tx: Transaction) -> SealedRef:
        """Store it in this transaction."""
        for envelope in self.envelopes:
            tx.envelopes.add(envelope)
        return self.ref


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspect:
    """A row that this installation did not write, or not like this."""

    table: str
    name: str
    run: str | None = None

    def __str__(self) -> str:
        """As people read it."""
        return f"{self.table} {self.name}"


class Integrity(Protocol):
    """Which rows are ours: those that carry a mark under the ledger's key."""

    def suspects(self, incident: IncidentId | None = None) -> tuple[Suspect, ...]:
        """Rows of one incident, or of all, that somebody else wrote or changed."""


class Kept(NamedTuple):
    """A sealed secret: what it is called, and the run that made it (None: the leak itself)."""

    ref: SealedRef
    run: RunId | None
    name: str


class Envelopes(Protocol):
    """The vault's shelf."""

    def add(self, envelope: Envelope) -> None:
        """Insert; the same ref and part twice is an error."""

    def get(self, ref: SealedRef, part: str) -> Envelope | None:
        """One sealed part."""

    def parts(self, ref: SealedRef) -> tuple[str, ...]:
        """The names of the sealed parts."""

    def named(self, run: RunId, name: str) -> SealedRef | None:
        """What a step of this run sealed under ``name``."""

    def of(self, incident: IncidentId) -> tuple[Kept, ...]:
        """What is sealed for an incident."""

    def incidents(self) -> tuple[IncidentId, ...]:
        """The incidents for which anything is sealed."""

    def master_keys(self) -> tuple[str, ...]:
        """The names of the master keys that anything is sealed under."""

    def shred(self, ref: SealedRef) -> int:
        """Delete all parts; returns how many there were."""


class Transaction(Protocol):
    """Everything inside commits together or not at all."""

    incidents: Incidents
    runs: Runs
    approvals: Approvals
    outbox: Outbox
    cards: Cards
    locks: Locks
    paces: Paces
    ledger: Ledger
    envelopes: Envelopes
    integrity: Integrity

    def now(self) -> datetime:
        """The store's time, UTC: one clock for leases whatever the machine."""


class Store(Protocol):
    """The truth."""

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Commit at the end of the block, roll back on any exception."""

    def snapshot(self) -> AbstractContextManager[Transaction]:
        """One consistent view that waits for no writer and holds none up. Only for reading."""


class Vault(Protocol):
    """The one place that may hold a leaked value."""

    def seal(
        self,
        *,
        incident: IncidentId,
        name: str,
        parts: Mapping[str, SecretValue],
        run: RunId | None = None,
    ) -> Sealed:
        """Encrypt each part under its own data key.

        May ask a master key that is far away, so it is called outside of any transaction.
        """

    def open(self, ref: SealedRef, part: str, *, actor: str, purpose: str) -> SecretValue:
        """Decrypt one part; the opening is in the ledger before the value is returned."""

    def entrust(self, ref: SealedRef, *, actor: str, purpose: str) -> None:
        """Record that all parts are opened for this purpose; ``read`` then returns them."""

    def read(self, ref: SealedRef, part: str) -> SecretValue:
        """Decrypt one part whose opening is in the ledger already."""

    def parts(self, ref: SealedRef) -> tuple[str, ...]:
        """The names of the parts behind a reference."""


class Doorbell(Protocol):
    """Wakes a worker. May lose, repeat or reorder any ring."""

    def ring(self, errand: Errand, subject: str) -> None:
        """Wake somebody for this errand; never raises because nobody listens."""


class Notifier(Protocol):
    """A surface that shows cards."""

    name: str

    def publish(self, card: Card, at: CardRef | None) -> CardRef:
        """Post the card, or edit the one at ``at`` in place. Raises Retryable when throttled."""

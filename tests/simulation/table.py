"""The rows of the store in memory, and the small ports over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.error import StoreError
from stanch.responder.domain.ids import ApprovalId, IncidentId, RunId, SealedRef
from stanch.responder.domain.incident import Exposure, Incident
from stanch.responder.domain.ports import Envelope, Errand, Kept, Message, Shown, Suspect
from stanch.responder.domain.run import Run, StepRun
from stanch.responder.domain.timeline import Entry, Event
from stanch.responder.ledger.chain import link
from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.column import clean


@dataclass(slots=True)
class Tables:
    """All rows. Rows are frozen, so a copy of the dictionaries is a copy of the database.

    The ledger only grows, so all copies share it, and a rollback cuts it off again.
    """

    counters: dict[str, int] = field(default_factory=dict)
    incidents: dict[int, Incident] = field(default_factory=dict)
    exposures: dict[int, tuple[Exposure, ...]] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    steps: dict[tuple[str, str], StepRun] = field(default_factory=dict)
    approvals: dict[str, Approval] = field(default_factory=dict)
    outbox: dict[tuple[Errand, str], tuple[Message, datetime | None]] = field(default_factory=dict)
    cards: dict[tuple[int, str], Shown] = field(default_factory=dict)
    locks: dict[str, tuple[str, datetime]] = field(default_factory=dict)
    paces: dict[str, datetime] = field(default_factory=dict)
    envelopes: dict[tuple[str, str], Envelope] = field(default_factory=dict)
    ledger: list[Entry] = field(default_factory=list)

    def copy(self) -> Tables:
        return Tables(
            dict(self.counters), dict(self.incidents), dict(self.exposures), dict(self.runs),
            dict(self.steps), dict(self.approvals), dict(self.outbox), dict(self.cards),
            dict(self.locks), dict(self.paces), dict(self.envelopes), self.ledger,
        )  # fmt: skip

    def take(self, name: str) -> int:
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]


class MemoryApprovals:
    """The port ``Approvals``."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def add(self, approval: Approval) -> None:
        self._t.approvals[approval.id] = approval

    def get(self, approval: ApprovalId) -> Approval | None:
        return self._t.approvals.get(approval)

    def of(self, run: RunId) -> tuple[Approval, ...]:
        rows = [a for a in self._t.approvals.values() if a.run == run]
        return tuple(sorted(rows, key=lambda a: (a.asked_at, a.id)))

    def save(self, approval: Approval) -> None:
        self._t.approvals[approval.id] = approval

    def overdue(self, now: datetime) -> tuple[Approval, ...]:
        rows = [
            a
            for a in self._t.approvals.values()
            if a.decision is Decision.OPEN and a.expires_at <= now
        ]
        return tuple(sorted(rows, key=lambda a: (a.expires_at, a.id)))


class MemoryOutbox:
    """The port ``Outbox``."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def put(self, errand: Errand, subject: str) -> None:
        kept = self._t.outbox.get((errand, subject))
        tries = kept[0].tries if kept else 0
        message = Message(id=self._t.take("outbox"), errand=errand, subject=subject, tries=tries)
        self._t.outbox[errand, subject] = (message, None)

    def waiting(self, now: datetime, errand: Errand | None = None) -> tuple[Message, ...]:
        rows = (
            message
            for message, due in self._t.outbox.values()
            if (due is None or due <= now) and errand in {None, message.errand}
        )
        return tuple(sorted(rows, key=lambda m: m.id))

    def done(self, message: Message) -> None:
        kept = self._t.outbox.get((message.errand, message.subject))
        if kept is not None and kept[0].id == message.id:
            del self._t.outbox[message.errand, message.subject]

    def later(self, message: Message, due_at: datetime) -> None:
        kept = self._t.outbox.get((message.errand, message.subject))
        if kept is not None and kept[0].id == message.id:
            tried = replace(kept[0], tries=kept[0].tries + 1)
            self._t.outbox[message.errand, message.subject] = (tried, due_at)


class MemoryCards:
    """The port ``Cards``."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def get(self, incident: IncidentId, notifier: str) -> Shown:
        return self._t.cards.get((incident, notifier), Shown())

    def save(self, incident: IncidentId, notifier: str, shown: Shown) -> None:
        self._t.cards[incident, notifier] = shown


class MemoryLocks:
    """The port ``Locks``."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def take(self, name: str, owner: str, *, now: datetime, until: datetime) -> bool:
        kept = self._t.locks.get(name)
        if kept is not None and kept[0] != owner and kept[1] > now:
            return False
        self._t.locks[name] = (owner, until)
        return True

    def free(self, name: str, owner: str) -> None:
        if name in self._t.locks and self._t.locks[name][0] == owner:
            del self._t.locks[name]

    def held(self, now: datetime) -> Mapping[str, str]:
        return {name: owner for name, (owner, until) in self._t.locks.items() if until > now}


class MemoryPaces:
    """The port ``Paces``."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def spend(self, name: str, every: timedelta, now: datetime) -> datetime:
        at = max(self._t.paces.get(name, now), now)
        self._t.paces[name] = at + every
        return at


class MemoryEnvelopes:
    """The port ``Envelopes``."""

    def __init__(self, tables: Tables) -> None:
        self._t = tables

    def add(self, envelope: Envelope) -> None:
        if (envelope.ref, envelope.part) in self._t.envelopes:
            raise StoreError("the store refused a change that contradicts it", remedy="repeat")
        self._t.envelopes[envelope.ref, envelope.part] = envelope

    def get(self, ref: SealedRef, part: str) -> Envelope | None:
        return self._t.envelopes.get((ref, part))

    def parts(self, ref: SealedRef) -> tuple[str, ...]:
        return tuple(sorted(part for owner, part in self._t.envelopes if owner == ref))

    def named(self, run: RunId, name: str) -> SealedRef | None:
        rows = self._t.envelopes.values()
        return next((e.ref for e in rows if (e.run, e.name) == (run, name)), None)

    def of(self, incident: IncidentId) -> tuple[Kept, ...]:
        rows = [e for e in self._t.envelopes.values() if e.incident == incident]
        return tuple(sorted({Kept(e.ref, e.run, e.name) for e in rows}))

    def incidents(self) -> tuple[IncidentId, ...]:
        return tuple(sorted({e.incident for e in self._t.envelopes.values()}))

    def master_keys(self) -> tuple[str, ...]:
        return tuple(sorted({e.master_key for e in self._t.envelopes.values()}))

    def shred(self, ref: SealedRef) -> int:
        gone = [key for key in self._t.envelopes if key[0] == ref]
        for key in gone:
            del self._t.envelopes[key]
        return len(gone)


class MemoryLedger:
    """The port ``Ledger``: the real chain, kept in a list."""

    def __init__(self, tables: Tables, seal: LedgerSeal) -> None:
        self._t = tables
        self._seal = seal

    def append(self, event: Event) -> Entry:
        event = replace(event, actor=clean(event.actor), action=clean(event.action))
        last = self._t.ledger[-1] if self._t.ledger else None
        self._t.ledger.append(link(event, after=last, seal=self._seal))
        return self._t.ledger[-1]

    def entries(self, incident: IncidentId | None = None) -> Iterator[Entry]:
        rows = list(self._t.ledger)
        return (e for e in rows if incident is None or e.event.incident == incident)

    def since(self, action: str, at: datetime) -> tuple[Event, ...]:
        events = (entry.event for entry in self._t.ledger)
        return tuple(e for e in events if e.action == action and e.at >= at)

    def newest(self, action: str) -> Event | None:
        rows = reversed(self._t.ledger)
        return next((e.event for e in rows if e.event.action == action), None)

    def sworn(self, incident: IncidentId) -> tuple[Event, ...]:
        return tuple(entry.event for entry in self.entries(incident))


class MemoryIntegrity:
    """The port ``Integrity``: nobody else reaches this memory."""

    def suspects(self, incident: IncidentId | None = None) -> tuple[Suspect, ...]:
        del incident
        return ()

"""Links a leak to the inventory: whose the credential is, and who uses it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from stanch.responder.domain.error import Tampered
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Incident
from stanch.responder.domain.ports import Errand, Store, Transaction
from stanch.responder.domain.timeline import Event
from stanch.responder.lifecycle.inventory.known import (
    FINGERPRINTED,
    RECOGNISED,
    Known,
    entry,
    newest,
    recognised,
)

_ALWAYS = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognising:
    """Keeps what is known of values, and tells incidents that it concerns."""

    store: Store

    def remember(self, entries: Sequence[Known], *, actor: str) -> tuple[IncidentId, ...]:
        """Record what is new of the entries; gives the incidents that were linked to one.

        Raises Tampered when the record is not whole.
        """
        with self.store.transaction() as tx:
            before = newest(tx.ledger.since(FINGERPRINTED, _ALWAYS))
            now = tx.now()
            for each in entries:
                if before.get(each.reference) != each:
                    tx.ledger.append(_event(FINGERPRINTED, each, now=now, actor=actor))
            events = tx.ledger.since(FINGERPRINTED, _ALWAYS)
            linked = [
                incident.id
                for incident in tx.incidents.list()
                if not incident.state.over and link(tx, incident, events, actor=actor)
            ]
            for incident in linked:
                tx.outbox.put(Errand.NOTIFY, str(incident))
        return tuple(linked)


def recognise(tx: Transaction, incident: Incident, *, actor: str) -> None:
    """Link an incident that is being opened. A record that is not whole holds nothing up here."""
    with suppress(Tampered):  # said by everything that shows the incident
        link(tx, incident, tx.ledger.since(FINGERPRINTED, _ALWAYS), actor=actor)


def known_fingerprints(tx: Transaction) -> frozenset[str]:
    """Those of every value that the inventory has, or once had: a find of one is no false alarm.

    None where the record is not whole; what shows it says so.
    """
    try:
        events = tx.ledger.since(FINGERPRINTED, _ALWAYS)
    except Tampered:
        return frozenset()
    return frozenset().union(*(entry(event.detail).fingerprints for event in events))


def link(tx: Transaction, incident: Incident, events: Sequence[Event], *, actor: str) -> bool:
    """Record whose the incident's credential is, if that is known and was not said yet."""
    found = recognised(events, incident.fingerprint)
    if not found:
        return False
    said = newest(told(tx, incident.id))
    fresh = [each for each in found if said.get(each.reference) != each]
    for each in fresh:
        tx.ledger.append(_event(RECOGNISED, each, now=tx.now(), actor=actor, incident=incident.id))
    return bool(fresh)


def told(tx: Transaction, incident: IncidentId) -> Iterable[Event]:
    """What the record says of the entries behind an incident."""
    for each in tx.ledger.entries(incident):
        if each.event.action == RECOGNISED:
            yield each.event


def _event(
    action: str, known: Known, *, now: datetime, actor: str, incident: IncidentId | None = None
) -> Event:
    return Event(at=now, actor=actor, action=action, incident=incident, detail=known.detail)

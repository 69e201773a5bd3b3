"""Do the rows still say what the record says? What people are shown rests on this.

The ledger is judged by itself (`stanch.responder.ledger.verify`). Here the rows are compared with
it: each carries a mark under the ledger's key, and what can be deleted or put back is counted.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from stanch.responder.domain.error import LedgerError, Tampered
from stanch.responder.domain.ids import IncidentId, label
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.ports import Transaction
from stanch.responder.domain.run import RunKind, StepState
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.decision import ASKED, sworn

_STATES = {
    "incident.opened": IncidentState.OPEN,
    "incident.reopened": IncidentState.OPEN,
    "incident.containment_lifted": IncidentState.OPEN,
    "incident.contained": IncidentState.CONTAINED,
    "incident.proven_dead": IncidentState.PROVEN_DEAD,
    "incident.closed": IncidentState.CLOSED,
}
_SIGHTINGS = frozenset({"incident.opened", "incident.reopened", "exposure.added"})


def discrepancies(tx: Transaction, incident_id: IncidentId) -> tuple[str, ...]:
    """What the rows of an incident say that the record does not, or the other way round."""
    found = [f"{each} was not written by this installation" for each in _suspects(tx, incident_id)]
    try:
        found += _contradictions(tx, incident_id, tx.ledger.sworn(incident_id))
    except Tampered as error:
        found.append(str(error).removeprefix("TAMPERED: "))
    except ValueError as error:  # a value that no write of ours leaves
        found.append(f"{label(incident_id)}: a row cannot be read ({error})")
    return tuple(found)


def all_discrepancies(tx: Transaction) -> tuple[str, ...]:
    """The same for every incident that has rows, or that the record knows."""
    known: set[int | None] = set()
    with suppress(LedgerError):  # an unreadable entry is the ledger's own verdict
        known.update(entry.event.incident for entry in tx.ledger.entries())
    rows = {incident.id for incident in tx.incidents.list()}
    return tuple(
        f"{label(number)}: {each.removeprefix(f'{label(number)}: ')}"
        for number in sorted(rows | {IncidentId(n) for n in known if n is not None})
        for each in discrepancies(tx, number)
    )


def _suspects(tx: Transaction, incident_id: IncidentId) -> Iterator[str]:
    yield from map(str, tx.integrity.suspects(incident_id))


def _contradictions(
    tx: Transaction, incident_id: IncidentId, events: Sequence[Event]
) -> Iterator[str]:
    incident = tx.incidents.get(incident_id)
    if incident is None:
        if any(event.action == "incident.opened" for event in events):
            yield "the record knows it, the store does not"
        return
    yield from _state(incident, events)
    seen = sum(event.action in _SIGHTINGS for event in events)
    kept = len(tx.incidents.exposures(incident_id))
    if kept < seen:
        yield f"{seen} sightings are on record, {kept} are in the store"
    yield from _runs(tx, incident_id, events)


def _state(incident: Incident, events: Sequence[Event]) -> Iterator[str]:
    undoing = _of_kind(events, RunKind.UNDO)
    states: list[IncidentState] = []
    for event in events:
        state = _STATES.get(event.action)
        if event.action == "run.done" and event.detail.get("run") in undoing:
            state = IncidentState.OPEN
        if event.action == "incident.taken_up":
            state = next((s for s in reversed(states) if s is not IncidentState.CLOSED), None)
        states += [state] if state else []
    said = states[-1] if states else IncidentState.OPEN
    if said is not incident.state:
        yield f"it is {incident.state} in the store, {said} on the record"


def _runs(tx: Transaction, incident_id: IncidentId, events: Sequence[Event]) -> Iterator[str]:
    runs = {str(run.id): run for run in tx.runs.of(incident_id)}
    started = _of_kind(events, None)
    yield from (f"run {run} is on record, but not in the store" for run in started - set(runs))
    yield from (f"run {run} was never started on the record" for run in set(runs) - started)
    verified = {
        (event.detail.get("run"), event.detail.get("step"))
        for event in events
        if event.action == "step.verified"
    }
    for run in runs.values():
        for step in tx.runs.steps(run.id):
            if step.state is StepState.DONE and (run.id, step.id) not in verified:
                yield f"step {step.id} is done in the store, not on the record"
        sworn(tx.approvals.of(run.id), events)  # raises Tampered where they disagree
    rows = {str(a.id) for run in runs.values() for a in tx.approvals.of(run.id)}
    asked = {str(e.detail.get("approval")) for e in events if e.action == ASKED}
    yield from (f"approval {each} is gone from the store" for each in asked - rows - {"None"})


def _of_kind(events: Sequence[Event], kind: RunKind | None) -> set[str]:
    """The runs that were started, of one kind or of any."""
    details: Sequence[Mapping[str, object]] = [
        event.detail for event in events if event.action == "run.started"
    ]
    return {str(d.get("run")) for d in details if kind is None or d.get("kind") == kind}

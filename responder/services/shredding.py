"""Leaked values die too: what the vault holds goes as soon as nothing needs it any more.

Fingerprint and masked preview stay: they name the secret and say nothing of it.
"""

from __future__ import annotations

from datetime import timedelta

from stanch.responder.domain.ids import IncidentId, SealedRef
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Transaction
from stanch.responder.domain.timeline import Event

# A dead value is kept so long for looking again whether it is dead, if nobody closes before.
KEPT = timedelta(days=7)


def shred(tx: Transaction, ref: SealedRef, *, incident: IncidentId, actor: str, why: str) -> int:
    """Delete every part with its wrapped key and record it; returns how many there were."""
    gone = tx.envelopes.shred(ref)
    if gone:
        detail: JsonObject = {"parts": gone, "ref": ref, "why": why}
        tx.ledger.append(
            Event(
                at=tx.now(),
                actor=actor,
                action="secret.shredded",
                incident=incident,
                detail=detail,
            )
        )
    return gone


def shred_all(tx: Transaction, incident: IncidentId, *, actor: str, why: str) -> int:
    """Everything that is sealed for an incident: the leak, probe sessions, replacements."""
    refs = [ref for ref, _ in tx.envelopes.of(incident)]
    return sum(shred(tx, ref, incident=incident, actor=actor, why=why) for ref in refs)


def needless(tx: Transaction) -> tuple[tuple[IncidentId, SealedRef, str], ...]:
    """What may go now, and why: of closed incidents all, of dead ones what our runs made."""
    found: list[tuple[IncidentId, SealedRef, str]] = []
    for number in tx.envelopes.incidents():
        incident = tx.incidents.get(number)
        if incident is None:
            continue
        for ref, run in tx.envelopes.of(number):
            why = _why(tx, incident, born_here=run is not None)
            found += [(number, ref, why)] if why else []
    return tuple(found)


def _why(tx: Transaction, incident: Incident, *, born_here: bool) -> str:
    if incident.state is IncidentState.CLOSED:
        return "the incident is closed"
    if incident.state is not IncidentState.PROVEN_DEAD or incident.proven_dead_at is None:
        return ""
    runs = tx.runs.of(incident.id)
    if runs and not runs[-1].state.over:
        return ""
    if born_here:
        return "the credential is proven dead, and what the run made is delivered"
    return "it was dead for long" if tx.now() - incident.proven_dead_at > KEPT else ""

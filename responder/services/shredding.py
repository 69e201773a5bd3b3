"""Leaked values die too: what the vault holds goes as soon as nothing needs it any more.

Four kinds are there: the leak itself, the probe sessions and the replacements that runs made, and
logs that were deleted where they were kept. Of these a masked copy stays.
Fingerprint and masked preview stay: they name the secret and say nothing of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Kept, Transaction
from stanch.responder.domain.run import Run, RunKind, RunState
from stanch.responder.domain.sealed_log import MASKED, RAW
from stanch.responder.domain.step import Effect, Step
from stanch.responder.domain.timeline import Event

# So long a dead value, or what a run made, is kept for looking again if nobody closes before.
KEPT = timedelta(days=7)


def shred(tx: Transaction, kept: Kept, *, incident: IncidentId, actor: str, why: str) -> int:
    """Delete every part with its wrapped key and record it; returns how many there were."""
    gone = tx.envelopes.shred(kept.ref)
    if gone:
        detail: JsonObject = {"parts": gone, "ref": kept.ref, "what": kept.name, "why": why}
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
    """Everything that is sealed for an incident, but logs without what was secret in them."""
    kept = [each for each in tx.envelopes.of(incident) if not each.name.startswith(MASKED)]
    return sum(shred(tx, each, incident=incident, actor=actor, why=why) for each in kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """What may go, and why."""

    incident: IncidentId
    kept: Kept
    why: str


def needless(tx: Transaction, steps: Mapping[str, Step]) -> tuple[Spent, ...]:
    """Of closed incidents all, of dead ones what our runs made; ``steps`` says what is final."""
    found: list[Spent] = []
    for number in tx.envelopes.incidents():
        incident = tx.incidents.get(number)
        if incident is None:
            continue
        for kept in tx.envelopes.of(number):
            if kept.name.startswith(MASKED):
                continue
            if kept.name.startswith(RAW) and incident.state is not IncidentState.CLOSED:
                continue  # it was deleted where it was kept: an investigation has no other
            why = _why(tx, incident, steps, born_here=kept.run is not None)
            found += [Spent(incident=number, kept=kept, why=why)] if why else []
    return tuple(found)


def _why(tx: Transaction, incident: Incident, steps: Mapping[str, Step], *, born_here: bool) -> str:
    if incident.state is IncidentState.CLOSED:
        return "the incident is closed"
    newest = next(iter(reversed(tx.runs.of(incident.id))), None)
    if newest is not None and not newest.state.over:
        return ""
    dead_at = incident.proven_dead_at
    if incident.state is IncidentState.PROVEN_DEAD and dead_at is not None:
        if born_here:
            return "the credential is proven dead, and what the run made is delivered"
        return "it was dead for long" if tx.now() - dead_at > KEPT else ""
    return _outlived(tx, newest, steps) if born_here and newest is not None else ""


def _outlived(tx: Transaction, newest: Run, steps: Mapping[str, Step]) -> str:
    """Why what a run made is needed no more, although the credential is not proven dead."""
    if newest.state is not RunState.DONE:
        return ""
    if newest.kind is RunKind.UNDO:
        return "what the run made is taken back"
    final = any(
        row.acted_at is not None
        and row.uses in steps
        and steps[row.uses].spec.effect is Effect.FINAL
        for row in tx.runs.steps(newest.id)
    )
    ended = newest.finished_at or newest.started_at
    # Without a final step it can all be taken back, and then what was made must be known.
    return "it is delivered for long" if final and tx.now() - ended > KEPT else ""

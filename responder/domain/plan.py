"""A plan: what would happen, exactly, and the hash an approval is bound to."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.json import JsonObject, canonical
from stanch.responder.domain.runbook import Phase, Policy
from stanch.responder.domain.step import Call, Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedStep:
    """One step of a plan. ``params`` is None while a reference cannot be resolved yet."""

    id: str
    phase: Phase
    uses: str
    title: str
    effect: Effect
    params: JsonObject | None
    calls: tuple[Call, ...]
    undo: str | None
    policy: Policy | None
    after: tuple[str, ...]
    permissions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """All steps for one incident, in order. ``incident`` is 0 where none was opened yet."""

    incident: IncidentId
    preview: str
    fingerprint: str
    runbook: str
    runbook_version: int
    steps: tuple[PlannedStep, ...]


def plan_hash(*, fingerprint: str, runbook: str, version: int, step: PlannedStep) -> str:
    """SHA-256 (hex) over the credential, the runbook and the step's exact calls and parameters."""
    return hashlib.sha256(
        canonical(
            {
                "calls": [[c.api, dict(c.arguments)] for c in step.calls],
                "fingerprint": fingerprint,
                "params": step.params,
                "runbook": [runbook, version],
                "step": [step.id, step.uses],
            }
        )
    ).hexdigest()

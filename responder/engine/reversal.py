"""From a finished run to the plan that takes it back."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, RunId, label
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.run import StepRun, StepState
from stanch.responder.domain.step import Effect, Step


def reversal(
    steps: tuple[StepRun, ...], registry: Mapping[str, Step], *, incident: IncidentId, run: RunId
) -> tuple[StepRun, ...]:
    """Rows of an undo run: the reverse order, only what we changed ourselves.

    Raises UsageError when nothing can be taken back, or when a final step already ran: giving back
    the rest would show a safety that is not there.
    """
    ours = [s for s in steps if s.absent_at is not None and s.state is not StepState.PENDING]
    final = [s for s in ours if registry[s.uses].spec.effect is Effect.FINAL]
    if final:
        title = registry[final[0].uses].spec.title
        raise UsageError(
            f"{label(incident)}: {title.lower()!r} was done and cannot be undone",
            remedy="the replacement is in place; `stanch postmortem` shows where",
        )
    undone = [s for s in reversed(ours) if registry[s.uses].spec.undo]
    if not undone:
        raise UsageError(
            f"{label(incident)}: nothing was changed that could be undone",
            remedy=f"`stanch incidents {label(incident)}` shows what was done",
        )
    rows: list[StepRun] = []
    for position, step in enumerate(undone):
        spec = registry[registry[step.uses].spec.undo or ""].spec
        rows.append(
            StepRun(
                run=run,
                id=f"undo-{step.id}",
                position=position,
                phase=step.phase,
                uses=spec.name,
                template=_params(step, spec.params),
                after=(rows[-1].id,) if rows else (),
                approval=None,
            )
        )
    return tuple(rows)


def _params(step: StepRun, wanted: type[object]) -> JsonObject:
    """The original parameters, plus what was there before and what the step found, if wanted."""
    if not dataclasses.is_dataclass(wanted):
        return {}
    known: dict[str, object] = {
        **(step.params or {}),
        "before": step.before,
        "outputs": step.outputs,
        "evidence": step.evidence,
    }
    return {f.name: known[f.name] for f in dataclasses.fields(wanted) if f.name in known}  # type: ignore[misc]  # JSON by construction

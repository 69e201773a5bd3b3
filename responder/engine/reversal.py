"""From what the runs of an incident did to the plan that takes it back."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping

from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import IncidentId, RunId, label
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun
from stanch.responder.domain.runbook import UNDO, Phase
from stanch.responder.domain.step import Effect, Step


def standing(runs: Iterable[tuple[Run, tuple[StepRun, ...]]]) -> tuple[StepRun, ...]:
    """The rows of what was done, or was about to be done, and has not been taken back yet.

    Of a step that several runs have taken, the newest that changed something counts.
    """
    rows: dict[str, StepRun] = {}
    for run, steps in runs:
        if run.kind is RunKind.UNDO:
            if run.state is RunState.DONE:
                rows.clear()
            continue
        for step in steps:
            if _ours(step) or step.id not in rows:
                rows[step.id] = step
    return tuple(rows.values())


def reversal(
    steps: tuple[StepRun, ...], registry: Mapping[str, Step], *, incident: IncidentId, run: RunId
) -> tuple[StepRun, ...]:
    """Rows of an undo run: only what we changed, or may have changed, ourselves.

    Containment is taken back first, then the rest, each phase in reverse order: who is sent back to
    the old credential must find it working, and only then loses the new one.

    Raises UsageError when nothing can be taken back, or when a final step was begun: giving back
    the rest would show a safety that is not there, or leave a consumer without a credential.
    """
    _refuse_after_a_final_step(steps, registry, incident)
    phases = list(Phase)
    undone = sorted(
        (s for s in steps if _ours(s) and registry[s.uses].spec.undo),
        key=lambda s: (phases.index(s.phase), -s.position, s.id),
    )
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
                approval=None if rows else UNDO,  # one word for all of it
            )
        )
    return tuple(rows)


def _refuse_after_a_final_step(
    steps: tuple[StepRun, ...], registry: Mapping[str, Step], incident: IncidentId
) -> None:
    for step in steps:
        spec = registry[step.uses].spec
        if spec.aside:
            continue  # a copy is gone: the credential is as it was
        if spec.effect is Effect.FINAL and (_ours(step) or step.acted_at is not None):
            done = "was done" if step.acted_at else "was begun and may have been done"
            raise UsageError(
                f"{label(incident)}: {spec.title.lower()!r} {done} and cannot be undone",
                remedy="the replacement is in place; `stanch postmortem` shows where",
            )


def _ours(step: StepRun) -> bool:
    """The effect is ours, or may be: it was not there, and we were about to act."""
    return step.absent_at is not None


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

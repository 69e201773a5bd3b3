"""From a runbook to a plan: what would be called, exactly, and who must approve it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields, is_dataclass, replace
from types import MappingProxyType

import msgspec

from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.ids import RunId
from stanch.responder.domain.incident import Incident
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.plan import Plan, PlannedStep, plan_hash
from stanch.responder.domain.run import Run, RunKind, StepRun, StepState
from stanch.responder.domain.runbook import BLAST, UNDO, Phase, Runbook
from stanch.responder.domain.step import Call, Effect, Foreseen, Step
from stanch.responder.engine.reference import Outputs, known, resolve


def step_runs(runbook: Runbook, run: RunId) -> tuple[StepRun, ...]:
    """The runbook's steps as rows of a new run."""
    return tuple(
        StepRun(
            run=run,
            id=step.id,
            position=position,
            phase=step.phase,
            uses=step.uses,
            template=dict(step.params),
            after=step.after,
            approval=step.approval,
        )
        for position, step in enumerate(runbook.steps)
    )


def outputs_of(steps: Iterable[StepRun]) -> Outputs:
    """What the steps of a run have found out so far."""
    return {step.id: step.outputs for step in steps if step.outputs}


@dataclass(frozen=True, slots=True)
class Planner:
    """Plans with the steps that this installation has."""

    steps: Mapping[str, Step]

    def params(
        self, step: StepRun, outputs: Outputs, *, optional: bool = False
    ) -> JsonObject | None:
        """The resolved parameters, or None while a reference is unknown.

        With ``optional`` a parameter of which nothing is known is left out, where the step has a
        default for it: what it refers to was left out itself, or came too late.
        """
        outputs = _with_item(step, outputs)
        template = dict(step.template)
        if optional:
            spare = _defaulted(self.steps[step.uses].spec.params)
            template = {k: v for k, v in template.items() if k not in spare or known(v, outputs)}
        if not all(known(value, outputs) for value in template.values()):
            return None
        return {key: resolve(value, outputs) for key, value in template.items()}

    def typed(self, uses: str, params: JsonObject) -> object:
        """The parameters as the step's own type. Raises RunbookError when they are not."""
        try:
            return msgspec.convert(params, self.steps[uses].spec.params)
        except msgspec.ValidationError as error:
            raise RunbookError(
                f"{uses} does not take what this run gives it: {error}",
                remedy="the run began under another version of Stanch: install that one, or "
                "`stanch cancel LK-n` and `stanch respond LK-n`",
            ) from None

    def planned(
        self, step: StepRun, *, incident: Incident, runbook: Runbook, outputs: Outputs
    ) -> PlannedStep:
        """One step with its exact calls; unknown references are shown as ``‹step.output›``."""
        spec = self.steps[step.uses].spec
        return PlannedStep(
            id=step.id,
            phase=step.phase,
            uses=step.uses,
            title=spec.title,
            effect=spec.effect,
            params=self.params(step, outputs),
            calls=self.calls(step, incident=incident, outputs=outputs),
            undo=spec.undo,
            policy=runbook.policy(step.approval) if step.approval else None,
            after=step.after,
            permissions=spec.permissions,
        )

    def calls(self, step: StepRun, *, incident: Incident, outputs: Outputs) -> tuple[Call, ...]:
        """Its exact calls, which the step's row alone knows: also when its runbook is gone."""
        outputs = _with_item(step, outputs)
        shown = {key: resolve(value, outputs) for key, value in step.template.items()}
        return self.steps[step.uses].calls(self.typed(step.uses, shown), incident.preview)

    def plan(
        self,
        incident: Incident,
        runbook: Runbook,
        steps: Sequence[StepRun],
        kept: Mapping[str, str] = MappingProxyType({}),
    ) -> Plan:
        """The whole plan. Touches nothing.

        ``kept`` are the copies of the credential that somebody keeps, each with its page: a step
        that is repeated is shown for each element that can be foreseen, and not at all for none.
        """
        outputs = dict(outputs_of(steps))
        rows: list[StepRun] = []
        for step in steps:
            rows += _repeated(step, runbook, outputs)
            self._foresee(step, outputs, kept)
        return Plan(
            incident=incident.id,
            preview=incident.preview,
            fingerprint=incident.fingerprint,
            runbook=runbook.id,
            runbook_version=runbook.version,
            steps=tuple(
                self.planned(step, incident=incident, runbook=runbook, outputs=outputs)
                for step in rows
            ),
        )

    def _foresee(
        self, step: StepRun, outputs: dict[str, JsonObject], kept: Mapping[str, str]
    ) -> None:
        made, params = self.steps[step.uses], self.params(step, outputs)
        if step.id not in outputs and params is not None and isinstance(made, Foreseen):
            outputs[step.id] = made.foresee(self.typed(step.uses, params), kept)

    def contains(self, step: StepRun) -> bool:
        """Whether the step changes something in order to contain."""
        return (
            step.phase is Phase.CONTAIN
            and step.uses in self.steps
            and self.steps[step.uses].spec.effect is not Effect.READ
        )

    def asked(
        self,
        step: StepRun,
        policy: str,
        *,
        run: Run,
        rows: Sequence[StepRun],
        incident: Incident,
        runbook: Runbook,
    ) -> tuple[PlannedStep, str]:
        """What a question under this policy is about, and the hash that its answer is bound to.

        Mostly the step alone. An undo is agreed to as a whole, and so is a containment that is one
        too many: then the step stands for all of its calls.
        """
        outputs = outputs_of(rows)
        shown = self.planned(step, incident=incident, runbook=runbook, outputs=outputs)
        about: Sequence[StepRun] = ()
        if policy == UNDO and run.kind is RunKind.UNDO:
            about, title = rows, "Undo the containment"
        elif policy == BLAST:
            about, title = [row for row in rows if self.contains(row)], "Contain"
        if about:
            calls = [self.calls(row, incident=incident, outputs=outputs) for row in about]
            shown = replace(
                self._together(shown, about, outputs),
                title=title,
                calls=tuple(call for each in calls for call in each),
                policy=runbook.policy(policy),
            )
        digest = plan_hash(
            fingerprint=incident.fingerprint,
            runbook=runbook.id,
            version=runbook.version,
            step=shown,
        )
        return shown, digest

    def _together(
        self, step: PlannedStep, rows: Sequence[StepRun], outputs: Outputs
    ) -> PlannedStep:
        """The step as one that stands for these; it is final if one of them is."""
        final = any(self.steps[row.uses].spec.effect is Effect.FINAL for row in rows)
        return replace(
            step,
            effect=Effect.FINAL if final else Effect.REVERSIBLE,
            params={row.id: self.params(row, outputs) for row in rows},
            undo=None if final else step.undo,
        )


def _repeated(step: StepRun, runbook: Runbook, outputs: Outputs) -> Sequence[StepRun]:
    """The step itself, or one for each element of the list that it will be repeated for."""
    line = runbook.step(step.id)
    begun = step.item is not None or step.state is not StepState.PENDING
    if begun or line is None or line.each is None or not known(line.each, outputs):
        return (step,)
    items = resolve(line.each, outputs)
    listed = items if isinstance(items, list | tuple) else ()
    return [replace(step, id=f"{step.id}[{n}]", item=item) for n, item in enumerate(listed)]


def _with_item(step: StepRun, outputs: Outputs) -> Outputs:
    """``${item.key}`` in a step that is repeated; a plain element is ``${item.value}``."""
    if step.item is None:
        return outputs
    item = step.item if isinstance(step.item, Mapping) else {"value": step.item}
    return {**outputs, "item": item}


def _defaulted(params: type[object]) -> frozenset[str]:
    if not is_dataclass(params):
        return frozenset()
    return frozenset(
        f.name
        for f in fields(params)
        if f.default is not MISSING or f.default_factory is not MISSING
    )

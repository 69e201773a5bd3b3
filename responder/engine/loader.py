"""Reads runbooks and policies, strictly: what loads can be planned.

Every mistake is a :class:`RunbookError` that names file and line and the nearest valid word. The
folder holds one ``<id>.yaml`` per runbook and ``policies/<id>.yaml``; ``docs/runbooks.md`` shows
the shape.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, fields, is_dataclass, replace
from datetime import timedelta
from importlib.resources.abc import Traversable
from pathlib import Path

from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.runbook import (
    ANYTHING,
    BLAST,
    UNDO,
    Phase,
    Policy,
    Runbook,
    RunbookStep,
)
from stanch.responder.domain.step import Effect, StepSpec
from stanch.responder.engine.condition import CONDITION, FORMS
from stanch.responder.engine.document import Table, listing, nearest, read, scalar, table
from stanch.responder.engine.policy import load_policies
from stanch.responder.engine.reference import REFERENCE
from stanch.responder.engine.written import ID, duration, files, included, load_parts, named, span

_VERSION = re.compile(r"[1-9][0-9]{0,8}\Z")
_PHASES = tuple(phase.value for phase in Phase)
_AFTER = re.compile(r"([a-z][a-z0-9-]*)(?: within (\S+))?\Z")
_HEAD = ("runbook", "version", "title", "answers", "contained_by", "proven_dead_by")
_STEP = ("step", "uses", "after", "with", "approval", "when", "each", "wait", "timeout")
_MAX_STEPS = 100


def load_runbooks(
    folder: Traversable | Path,
    specs: Mapping[str, StepSpec],
    *,
    over: Traversable | Path | None = None,
) -> dict[str, Runbook]:
    """All runbooks of ``folder`` by id, checked against the steps that exist.

    With ``over`` they join those of that folder: what both answer, or call by the same name, is
    this folder's; its runbooks may use the policies of both.
    """
    policies = load_policies(over) if over is not None else {}
    policies |= load_policies(folder)
    parts = load_parts(over) if over is not None else {}
    parts |= load_parts(folder)
    found = _load(folder, specs, policies, parts)
    if over is None:
        return found
    taken = {leak for book in found.values() for leak in book.answers}
    joined = {
        book.id: replace(book, answers=tuple(leak for leak in book.answers if leak not in taken))
        for book in _load(over, specs, policies, parts).values()
    }
    return joined | found


def _load(
    folder: Traversable | Path,
    specs: Mapping[str, StepSpec],
    policies: Mapping[str, Policy],
    parts: Mapping[str, Table],
) -> dict[str, Runbook]:
    runbooks: dict[str, Runbook] = {}
    answers: dict[tuple[str, str], str] = {}
    for file in files(folder):
        runbook = _runbook(read(file.read_bytes(), file.name), file.name, specs, policies, parts)
        for leak in runbook.answers:
            if leak in answers:
                raise RunbookError(
                    f"{file.name}:1: {answers[leak]}.yaml answers {leak[0]} {leak[1]} already",
                    remedy="one runbook per kind of leak: merge them",
                )
            answers[leak] = runbook.id
        runbooks[runbook.id] = runbook
    return runbooks


def _runbook(
    doc: Table,
    file: str,
    specs: Mapping[str, StepSpec],
    policies: Mapping[str, Policy],
    parts: Mapping[str, Table],
) -> Runbook:
    doc.check(known=(*_HEAD, "include", "timeout", *_PHASES), required=_HEAD)
    name = named(doc, "runbook", file)
    if not _VERSION.match(doc.text("version")):
        raise RunbookError(
            f"{doc.where('version')}: {doc.text('version')!r} is not a version",
            remedy="write a whole number from 1 and raise it with every change",
        )
    steps = _all_steps(doc, specs, policies, parts)
    if not 0 < len(steps) <= _MAX_STEPS:
        raise RunbookError(
            f"{doc.origin}: {len(steps)} steps", remedy=f"write 1 to {_MAX_STEPS} steps"
        )
    _check_graph(steps, specs)
    for key, phase in (("contained_by", Phase.CONTAIN), ("proven_dead_by", Phase.AUDIT)):
        _check_milestone(doc, key, phase, steps, specs)
    used = {step.approval for step in steps if step.approval} | ({UNDO, BLAST} & set(policies))
    return Runbook(
        id=name,
        version=int(doc.text("version")),
        title=doc.text("title"),
        answers=tuple(_answers(doc)),
        steps=steps,
        policies={policy: policies[policy] for policy in sorted(used)},
        contained_by=doc.text("contained_by"),
        proven_dead_by=doc.text("proven_dead_by"),
        timeout=span(doc, "timeout"),
    )


def _answers(doc: Table) -> Iterator[tuple[str, str]]:
    """``- {provider: aws, kinds: [access-key]}``; `"*"` twice is what no other runbook answers."""
    for item in listing(doc.entries["answers"]).items:
        each = table(item)
        each.check(known=("provider", "kinds"), required=("provider", "kinds"))
        kinds = each.texts("kinds")
        if not kinds:
            raise RunbookError(
                f"{each.where('kinds')}: no kind", remedy="write kinds: [access-key], for example"
            )
        if "*" in (each.text("provider"), *kinds) and (each.text("provider"), *kinds) != ANYTHING:
            raise RunbookError(
                f"{each.origin}: '*' stands for every provider and kind, or for none",
                remedy='write {provider: "*", kinds: ["*"]}, or name them',
            )
        yield from ((each.text("provider"), kind) for kind in kinds)


def _all_steps(
    doc: Table,
    specs: Mapping[str, StepSpec],
    policies: Mapping[str, Policy],
    parts: Mapping[str, Table],
) -> tuple[RunbookStep, ...]:
    """Its own, and those that it includes: what would begin at once there waits for containment."""
    found = list(_steps(doc, specs, policies))
    for part in included(doc, parts):
        for step in _steps(part, specs, policies):
            first = not step.after and not step.within
            found.append(replace(step, after=(doc.text("contained_by"),)) if first else step)
    order = list(Phase)
    return tuple(sorted(found, key=lambda step: order.index(step.phase)))


def _steps(
    doc: Table, specs: Mapping[str, StepSpec], policies: Mapping[str, Policy]
) -> Iterator[RunbookStep]:
    for phase in Phase:
        if phase.value in doc.entries:
            for item in listing(doc.entries[phase.value]).items:
                yield _step(table(item), phase, specs, policies)


def _step(
    doc: Table, phase: Phase, specs: Mapping[str, StepSpec], policies: Mapping[str, Policy]
) -> RunbookStep:
    doc.check(known=_STEP, required=_STEP[:3])
    name, uses = doc.text("step"), doc.text("uses")
    if not ID.match(name) or name == "item":
        raise RunbookError(
            f"{doc.where('step')}: {name!r} is not a step id", remedy="use a-z, 0-9 and -, not item"
        )
    if uses not in specs:
        raise RunbookError(f"{doc.where('uses')}: no step {uses!r}", remedy=nearest(uses, specs))
    approval = doc.text("approval") or None
    if approval is not None and approval not in policies:
        raise RunbookError(
            f"{doc.where('approval')}: no policy {approval!r}", remedy=nearest(approval, policies)
        )
    # What cannot be undone needs somebody's word; a runbook cannot opt out of that.
    if specs[uses].effect is Effect.FINAL and approval is None:
        raise RunbookError(
            f"{doc.origin}: {uses} cannot be undone and needs an approval",
            remedy=f"add `approval:` with one of: {', '.join(sorted(policies)) or 'no policy yet'}",
        )
    after, within = _after(doc)
    return RunbookStep(
        id=name,
        phase=phase,
        uses=uses,
        params=_params(doc, specs[uses]),
        after=after,
        approval=approval,
        origin=doc.origin,
        within=within,
        when=_when(doc),
        each=_each(doc),
        wait=span(doc, "wait"),
        timeout=span(doc, "timeout"),
    )


def _after(doc: Table) -> tuple[tuple[str, ...], dict[str, timedelta]]:
    """``[a, b within 3s]``: a must have passed, b is waited for at most 3 s longer."""
    after: list[str] = []
    within: dict[str, timedelta] = {}
    for text in doc.texts("after"):
        found = _AFTER.match(text)
        if found is None:
            raise RunbookError(
                f"{doc.where('after')}: {text!r} is not a step to wait for",
                remedy="write STEP, or STEP within 3s",
            )
        if found[2]:
            within[found[1]] = duration(found[2], doc.where("after"))
        else:
            after.append(found[1])
    return tuple(after), within


def _when(doc: Table) -> str | None:
    if "when" not in doc.entries:
        return None
    if not CONDITION.fullmatch(doc.text("when")):
        raise RunbookError(
            f"{doc.where('when')}: {doc.text('when')!r} is not a condition", remedy=f"write {FORMS}"
        )
    return doc.text("when")


def _each(doc: Table) -> str | None:
    if "each" not in doc.entries:
        return None
    if not REFERENCE.fullmatch(doc.text("each")):
        raise RunbookError(
            f"{doc.where('each')}: {doc.text('each')!r} is not one output",
            remedy="write ${step.output}, of a step that gives a list",
        )
    return doc.text("each")


def _params(doc: Table, spec: StepSpec) -> dict[str, str]:
    given = table(doc.entries["with"]) if "with" in doc.entries else None
    if not is_dataclass(spec.params):
        raise TypeError(f"{spec.name}: params is not a dataclass")
    known = fields(spec.params)
    required = [
        param.name
        for param in known
        if param.default is MISSING and param.default_factory is MISSING
    ]
    here = given or Table(entries={}, lines={}, origin=doc.origin)
    here.check(known=[param.name for param in known], required=required)
    return {key: scalar(value).text for key, value in here.entries.items()}


def _check_graph(steps: Sequence[RunbookStep], specs: Mapping[str, StepSpec]) -> None:
    known: dict[str, RunbookStep] = {}
    for step in steps:
        if step.id in known:
            raise RunbookError(
                f"{step.origin}: the step {step.id!r} exists already",
                remedy=f"rename one; the other stands at {known[step.id].origin}",
            )
        known[step.id] = step
    order = list(Phase)
    for step in steps:
        for earlier in (*step.after, *step.within):
            if earlier not in known:
                raise RunbookError(
                    f"{step.origin}: {step.id!r} comes after {earlier!r}, which does not exist",
                    remedy=nearest(earlier, set(known) - {step.id}),
                )
            if order.index(known[earlier].phase) > order.index(step.phase):
                raise RunbookError(
                    f"{step.origin}: {step.id!r} ({step.phase}) waits for {earlier!r}, "
                    f"which is in the later phase {known[earlier].phase}",
                    remedy="move one of them",
                )
    ancestors = _ancestors(known)
    for step in steps:
        _check_references(step, known, ancestors[step.id], specs)


def _ancestors(steps: Mapping[str, RunbookStep]) -> dict[str, frozenset[str]]:
    """For each step all steps that are over before it starts. Finds cycles."""
    found: dict[str, frozenset[str]] = {}
    waiting = dict(steps)
    while waiting:
        ready = [s for s in waiting.values() if all(e in found for e in (*s.after, *s.within))]
        if not ready:
            first = next(iter(waiting.values()))
            raise RunbookError(
                f"{first.origin}: these steps wait for each other: {', '.join(waiting)}",
                remedy="take one name out of an `after:`",
            )
        for step in ready:
            before = (*step.after, *step.within)
            found[step.id] = frozenset(before).union(*(found[e] for e in before))
            del waiting[step.id]
    return found


def _check_references(
    step: RunbookStep,
    known: Mapping[str, RunbookStep],
    ancestors: frozenset[str],
    specs: Mapping[str, StepSpec],
) -> None:
    conditions = {key: text for key, text in (("when", step.when), ("each", step.each)) if text}
    for param, text in (*step.params.items(), *conditions.items()):
        at = f"{step.origin}: {step.id}.{param}"
        if "${" in REFERENCE.sub("", text):
            raise RunbookError(f"{at}: {text!r} is not a reference", remedy="write ${step.output}")
        for source, output in REFERENCE.findall(text):
            if source == "item" and step.each is not None and param in step.params:
                continue
            if source not in known:
                raise RunbookError(
                    f"{at} refers to the step {source!r}, which does not exist",
                    remedy=nearest(source, ancestors),
                )
            if source not in ancestors:
                raise RunbookError(
                    f"{at} refers to {source!r}, which is not over when {step.id!r} starts",
                    remedy=f"add {source} to its `after:`",
                )
            if param in step.params:
                _check_optional(step, param, known[source], ancestors, known, specs)
            each = known[source].each is not None
            outputs = ("items", "count") if each else specs[known[source].uses].outputs
            if output not in outputs:
                raise RunbookError(
                    f"{at}: {known[source].uses} has no output {output!r}",
                    remedy=nearest(output, outputs),
                )


def _check_optional(
    step: RunbookStep,
    param: str,
    source: RunbookStep,
    ancestors: frozenset[str],
    known: Mapping[str, RunbookStep],
    specs: Mapping[str, StepSpec],
) -> None:
    """What may be missing when the step runs needs a default in the step that uses it."""
    sure = _surely_before(step, known)
    if source.when is None and source.id in sure & ancestors:
        return
    optional = [
        f.name
        for f in fields(specs[step.uses].params)  # type: ignore[arg-type]  # checked before
        if f.default is not MISSING or f.default_factory is not MISSING
    ]
    if param not in optional:
        raise RunbookError(
            f"{step.origin}: {step.id}.{param} refers to {source.id!r}, which may be left out or "
            "come too late",
            remedy=f"only these parameters of {step.uses} may be missing: "
            f"{', '.join(optional) or 'none'}",
        )


def _surely_before(step: RunbookStep, known: Mapping[str, RunbookStep]) -> frozenset[str]:
    """The steps that have passed whenever this one starts."""
    found: set[str] = set()
    waiting = list(step.after)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(known[name].after)
    return frozenset(found)


def _check_milestone(
    doc: Table,
    key: str,
    phase: Phase,
    steps: Sequence[RunbookStep],
    specs: Mapping[str, StepSpec],
) -> None:
    wanted = doc.text(key)
    # Only a fresh look that ends with a claim may move an incident on: an act's word is no proof.
    proofs = [s.id for s in steps if s.phase is phase and specs[s.uses].proves]
    if wanted not in proofs:
        raise RunbookError(
            f"{doc.where(key)}: {wanted!r} is not a step of the phase {phase} that proves",
            remedy=nearest(wanted, proofs),
        )

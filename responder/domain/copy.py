"""What became of each copy of a credential: in an image, in a log. From data alone.

A step that acts on a copy says so in its outputs: ``copy`` (the target), ``state`` and ``how``; one
that looks at many gives ``copies``, a list of such. A copy of which no step says anything can be
read, as far as anybody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from stanch.responder.domain.incident import Exposure
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.run import StepRun, StepState
from stanch.responder.domain.runbook import Phase
from stanch.responder.domain.step import StepSpec

LATE = "it was seen when the run had looked already; the next `stanch respond` takes it up"
_LOOKS = Phase.IDENTIFY


class Reach(StrEnum):
    """Whether who could read it can still."""

    OPEN = "open"  # it can be read, or nobody has looked
    AWAY = "out of reach"  # seen to be so, and can be brought back
    GONE = "gone"  # seen to be so, for good
    SAID = "gone, a person says"


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy. ``how`` says how that was seen, or why it is still there."""

    target: str  # as `stanch scan` takes it
    reach: Reach
    how: str

    def __str__(self) -> str:
        return f"{self.target}: {self.reach}{f' ({self.how})' if self.how else ''}"


def outcome(target: str, reach: Reach, how: str) -> JsonObject:
    """What a step that has looked at a copy gives as its outputs."""
    return {"copy": target, "state": reach.value, "how": how}


def copies(
    exposures: Iterable[Exposure], steps: Iterable[StepRun], specs: Mapping[str, StepSpec]
) -> tuple[Copy, ...]:
    """Every copy that somebody keeps, by the newest of the steps that name it."""
    aside = [step for step in steps if step.uses in specs and specs[step.uses].aside]
    said = {found.target: found for step in aside for found in _said(step)}
    looked = [step.finished_at for step in aside if step.finished_at and step.phase is _LOOKS]
    kept: dict[str, Copy] = {}
    for seen in exposures:
        late = LATE if looked and seen.found_at > max(looked) else ""
        for target in seen.copies:
            kept.setdefault(target, said.get(target) or _open(target, late))
    return tuple(kept.values())


def unheard(kept: Iterable[Copy]) -> bool:
    """Whether there is a copy of which no step has heard."""
    return any(copy.reach is Reach.OPEN and copy.how in {"", LATE} for copy in kept)


def _open(target: str, how: str) -> Copy:
    return Copy(target=target, reach=Reach.OPEN, how=how)


def _said(step: StepRun) -> Iterator[Copy]:
    if step.state is StepState.DONE:
        many = step.outputs.get("copies")
        listed = many if isinstance(many, list | tuple) else [step.outputs]
        yield from (_read(each) for each in listed if isinstance(each, Mapping) and "copy" in each)
        return
    item = step.item if isinstance(step.item, Mapping) else (step.params or {})
    target = item.get("copy")
    why = {
        StepState.FAILED: step.error or "the step failed",
        StepState.SKIPPED: "a person said no, or nobody said yes",
        StepState.BLOCKED: "a person is asked",
    }.get(step.state)
    if isinstance(target, str) and why is not None:
        yield _open(target, why)


def _read(said: JsonObject) -> Copy:
    return Copy(
        target=str(said["copy"]), reach=Reach(str(said["state"])), how=str(said.get("how") or "")
    )

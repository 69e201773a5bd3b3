"""What became of each copy of a credential: in an image, in a log. From data alone.

A step that acts on a copy says so in its outputs: ``copy`` (the target), ``state`` and ``how``. A
copy of which no step says anything can be read, as far as anybody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from stanch.responder.domain.incident import Exposure
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.run import StepRun, StepState
from stanch.responder.domain.step import StepSpec


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
    said: dict[str, Copy] = {}
    for step in steps:
        spec = specs.get(step.uses)
        found = _said(step) if spec is not None and spec.aside else None
        if found is not None:
            said[found.target] = found
    targets = dict.fromkeys(target for seen in exposures for target in seen.copies)
    return tuple(said.get(each, Copy(target=each, reach=Reach.OPEN, how="")) for each in targets)


def _said(step: StepRun) -> Copy | None:
    if step.state is StepState.DONE and "state" in step.outputs:
        outputs = step.outputs
        return Copy(
            target=str(outputs.get("copy")),
            reach=Reach(str(outputs["state"])),
            how=str(outputs.get("how") or ""),
        )
    item = step.item if isinstance(step.item, Mapping) else (step.params or {})
    target = item.get("copy")
    if not isinstance(target, str):
        return None
    match step.state:
        case StepState.FAILED:
            why = step.error or "the step failed"
        case StepState.SKIPPED:
            why = "a person said no, or nobody said yes"
        case StepState.BLOCKED:
            why = "a person is asked"
        case _:
            return None
    return Copy(target=target, reach=Reach.OPEN, how=why)

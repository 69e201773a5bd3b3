"""The least that our own identity must be allowed, generated from what the steps declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.step import StepSpec


def required(runbooks: Iterable[Runbook], specs: Mapping[str, StepSpec]) -> tuple[str, ...]:
    """What the steps of ``specs`` in these runbooks need, and what takes them back; sorted.

    ``specs`` are those of one provider: its runbooks may use steps of others too.
    """
    used = {step.uses for runbook in runbooks for step in runbook.steps} & specs.keys()
    undone = {undo for name in used if (undo := specs[name].undo)}
    return tuple(sorted({action for name in used | undone for action in specs[name].permissions}))

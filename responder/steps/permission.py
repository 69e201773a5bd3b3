"""The least that our own identity must be allowed, generated from what the steps declare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby

from stanch.responder.domain.json import JsonObject, JsonValue
from stanch.responder.domain.runbook import Runbook
from stanch.responder.domain.step import StepSpec


def required(runbooks: Iterable[Runbook], specs: Mapping[str, StepSpec]) -> tuple[str, ...]:
    """The IAM actions, sorted, of all steps in these runbooks and of what takes them back."""
    used = {step.uses for runbook in runbooks for step in runbook.steps}
    undone = {undo for name in used if (undo := specs[name].undo)}
    return tuple(sorted({action for name in used | undone for action in specs[name].permissions}))


def policy_document(actions: Iterable[str]) -> JsonObject:
    """An IAM policy that allows these actions, one statement per service."""
    services = groupby(sorted(set(actions)), key=lambda action: action.partition(":")[0])
    statements: list[JsonValue] = [
        {
            "Sid": f"Stanch{service.capitalize()}",
            "Effect": "Allow",
            "Action": list(names),
            "Resource": "*",
        }
        for service, names in services
    ]
    return {"Version": "2012-10-17", "Statement": statements}

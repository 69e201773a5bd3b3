"""An IAM policy from the actions that the steps declare."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby

from stanch.responder.domain.json import JsonObject, JsonValue


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

"""What a postmortem advises after a leaked AWS key."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.responder.postmortem.advice import Draft, Facts
from stanch.responder.postmortem.report import ActionKind


def advice(facts: Facts) -> Iterator[Draft]:
    """Action items beside those that every leak has."""
    if "key" in facts.incident.kind:
        yield (
            "use-a-role",
            ActionKind.PREVENT,
            "Give the consumer a role (OIDC, instance profile or Roles Anywhere) instead of a key",
            "a long-lived key was in use; a role's credentials expire by themselves",
        )

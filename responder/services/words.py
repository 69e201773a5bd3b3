"""What kinds of credential are called, in people's words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from stanch.responder.domain.incident import Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """``names``: provider, then kind, to name. What no provider names is spelled from both."""

    names: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def credential(self, incident: Incident) -> str:
        """What leaked."""
        known = self.names.get(incident.provider, {}).get(incident.kind)
        if known:
            return known
        if incident.provider == incident.kind:  # a rule that knows no provider
            return f"{incident.kind} secret"
        return f"{incident.provider} {incident.kind}".replace("-", " ").replace("_", " ")

"""The clocks of an incident, and what is promised for a public leak: docs/architecture.md."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.responder.domain.incident import Incident

REQUESTED = timedelta(seconds=10)  # every containing call was answered
VERIFIED = timedelta(seconds=30)  # a fresh look was refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock:
    """A duration that counts from detection, named for what it measures."""

    name: str
    what: str
    mark: str  # the incident's field that stops it
    goal: timedelta | None

    def at(self, incident: Incident) -> datetime | None:
        """When it stopped."""
        found: datetime | None = getattr(incident, self.mark)
        return found


CLOCKS = (
    Clock(
        name="Asked",
        what="containing calls answered",
        mark="containment_requested_at",
        goal=REQUESTED,
    ),
    Clock(
        name="Verified",
        what="refused on a fresh look",
        mark="containment_verified_at",
        goal=VERIFIED,
    ),
    Clock(name="Dead", what="nothing left uncovered", mark="proven_dead_at", goal=None),
)

"""An incident is one secret; an exposure is one place and time where it was visible."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from stanch.responder.domain.ids import IncidentId, SealedRef

_PAGE = re.compile(r"https://[a-z0-9.-]+(?::[0-9]{1,5})?/[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]*")
_LONGEST = 600


class IncidentState(StrEnum):
    """How far the credential is from being proven dead."""

    OPEN = "open"
    CONTAINED = "contained"
    PROVEN_DEAD = "proven-dead"
    CLOSED = "closed"

    @property
    def over(self) -> bool:
        """True when a new sighting means a regression."""
        return self in {IncidentState.PROVEN_DEAD, IncidentState.CLOSED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Exposure:
    """One sighting. ``exposed_at`` is when it became visible there, when that is known.

    ``origin`` names what it stands in by what never changes and is the same wherever it is met: of
    an image the layer's digest; "" where there is no such thing but a commit. ``about`` are the
    words for people: the layer, the instruction that made it, the job, the step.
    """

    source: str
    path: str
    line: int
    column: int
    root: str  # repository or directory that was scanned, as a name people recognise
    commit: str | None
    author: str | None
    exposed_at: datetime | None
    found_at: datetime
    rule: str
    reason: str
    origin: str = ""
    about: str = ""
    url: str = ""  # the place's page, see ``page``
    copies: tuple[str, ...] = ()  # targets of `stanch scan`: what its keeper can take away

    @property
    def place(self) -> tuple[str | int | None, ...]:
        """Two exposures at the same place are the same exposure."""
        origin = (self.origin,) if self.origin else ()
        return (self.root, self.path, self.commit, self.line, self.column, *origin)


def page(link: str | None) -> str:
    """The address where people can look at a place; "" for anything that is no plain one.

    It comes from the scanned repository's own configuration, and people will press it.
    """
    return link if link and len(link) <= _LONGEST and _PAGE.fullmatch(link) else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """One leaked credential. ``preview`` is masked; the value is behind ``sealed``."""

    id: IncidentId
    fingerprint: str
    provider: str
    kind: str
    preview: str
    severity: str
    state: IncidentState
    sealed: SealedRef
    root: str
    detected_at: datetime
    containment_requested_at: datetime | None = None
    containment_verified_at: datetime | None = None
    proven_dead_at: datetime | None = None
    closed_at: datetime | None = None
    regressions: int = 0
    version: int = 0  # optimistic lock, and what makes an old button stale

    def closed(self, now: datetime) -> Incident:
        """A person said that it is over."""
        return replace(self, state=IncidentState.CLOSED, closed_at=now)

    def taken_up(self) -> Incident:
        """As it stood before it was closed: somebody wants to go on."""
        state = IncidentState.OPEN
        if self.proven_dead_at:
            state = IncidentState.PROVEN_DEAD
        elif self.containment_verified_at:
            state = IncidentState.CONTAINED
        return replace(self, state=state, closed_at=None)

    def reopened(self, now: datetime) -> Incident:
        """The secret was seen again after it was declared dead: every clock starts anew."""
        return replace(
            self,
            state=IncidentState.OPEN,
            detected_at=now,
            containment_requested_at=None,
            containment_verified_at=None,
            proven_dead_at=None,
            closed_at=None,
            regressions=self.regressions + 1,
        )

    def places(self, exposures: Iterable[Exposure]) -> tuple[Exposure, ...]:
        """The sightings, those of this round first: where it was seen again matters now."""
        return tuple(sorted(exposures, key=lambda seen: seen.found_at < self.detected_at))

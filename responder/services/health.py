"""Readiness: can this process do its work now?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from stanch.responder.domain.error import StanchError
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """``parts`` are looked at by name; a look returns quickly, or raises StanchError."""

    parts: Mapping[str, Callable[[], object]]

    def look(self) -> Mapping[str, bool]:
        """Which parts answer. Why one does not is for the log: strangers may read the answer."""
        return {name: _answers(name, part) for name, part in self.parts.items()}


def _answers(name: str, part: Callable[[], object]) -> bool:
    try:
        part()
    except StanchError as error:
        log.warning("part.not_ready", part=name, why=str(error), help=error.remedy)
        return False
    return True

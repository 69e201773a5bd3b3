"""Who uses a secret: whoever it was given to, as the record says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stanch.responder.domain.timeline import Event

GIVEN = "secret.given"


def consumers(events: Iterable[Event]) -> Mapping[str, tuple[str, ...]]:
    """The consumers of each reference: who, and on which host."""
    found: dict[str, set[str]] = {}
    for event in events:
        host = str(event.detail.get("where") or "").partition("/")[0]
        who = f"{event.actor}@{host}" if host else event.actor
        found.setdefault(str(event.detail.get("reference")), set()).add(who)
    return {reference: tuple(sorted(names)) for reference, names in found.items()}

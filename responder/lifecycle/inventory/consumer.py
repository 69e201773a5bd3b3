"""Who uses a secret: whoever it was given to, as the record says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stanch.responder.domain.timeline import Event

GIVEN = "secret.given"

Consumers = Mapping[str, tuple[str, ...]]
"""Who uses it, by the reference of what is used."""


def joined(*given: Consumers | None) -> Consumers | None:
    """All that is known together; None when nobody has looked anywhere."""
    known = [each for each in given if each is not None]
    if not known:
        return None
    found: dict[str, set[str]] = {}
    for each in known:
        for reference, names in each.items():
            found.setdefault(reference, set()).update(names)
    return {reference: tuple(sorted(names)) for reference, names in found.items()}


def in_code(places: Iterable[tuple[str, str]]) -> Consumers:
    """The files that refer to a secret, from (reference, place)."""
    found: dict[str, set[str]] = {}
    for reference, place in places:
        found.setdefault(reference, set()).add(f"code:{place.rpartition(':')[0]}")
    return {reference: tuple(sorted(names)) for reference, names in found.items()}


def consumers(events: Iterable[Event]) -> Consumers:
    """The consumers of each reference: who, and on which host."""
    found: dict[str, set[str]] = {}
    for event in events:
        host = str(event.detail.get("where") or "").partition("/")[0]
        who = f"{event.actor}@{host}" if host else event.actor
        found.setdefault(str(event.detail.get("reference")), set()).add(who)
    return {reference: tuple(sorted(names)) for reference, names in found.items()}

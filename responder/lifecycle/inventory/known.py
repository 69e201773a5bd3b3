"""Entries of the inventory by the fingerprints of their values: whose is what has leaked.

They are kept in the record, which only grows: a value that was rotated away is still recognised.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.timeline import Event

FINGERPRINTED = "secret.fingerprinted"
"""What the record says when an entry's value was seen."""
RECOGNISED = "secret.recognised"
"""What the record says of an incident whose credential is an entry's."""

_TEXTS = ("reference", "owner", "service", "environment", "tenant", "source", "version")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """An entry: its metadata as far as it is known, who uses it, and what its value looks like."""

    reference: str
    owner: str
    service: str
    environment: str
    tenant: str
    source: str
    version: str
    consumers: tuple[str, ...] = ()
    fingerprints: frozenset[str] = frozenset()

    @property
    def detail(self) -> JsonObject:
        """As the record keeps it."""
        return {
            **{name: getattr(self, name) for name in _TEXTS},
            "consumers": list(self.consumers),
            "fingerprints": sorted(self.fingerprints),
        }


def entry(detail: JsonObject) -> Known:
    """The entry that an event tells of."""
    texts = {name: str(detail.get(name) or "") for name in _TEXTS}
    return Known(
        **texts,
        consumers=_names(detail.get("consumers")),
        fingerprints=frozenset(_names(detail.get("fingerprints"))),
    )


def newest(events: Iterable[Event]) -> Mapping[str, Known]:
    """The newest of each entry, by its reference."""
    return {each.reference: each for each in (entry(event.detail) for event in events)}


def recognised(events: Sequence[Event], fingerprint: str) -> tuple[Known, ...]:
    """The entries that have, or once had, a value of this fingerprint, as they are known now."""
    had = {
        each.reference
        for each in (entry(event.detail) for event in events)
        if fingerprint in each.fingerprints
    }
    now = newest(events)
    return tuple(now[reference] for reference in sorted(had))


def shared(entries: Iterable[Known]) -> tuple[tuple[str, str], ...]:
    """Pairs of references that hold the same value, which no two secrets should."""
    by_print: dict[str, set[str]] = {}
    for each in entries:
        for fingerprint in each.fingerprints:
            by_print.setdefault(fingerprint, set()).add(each.reference)
    pairs = {
        (first, other)
        for names in by_print.values()
        for first, other in zip(sorted(names), sorted(names)[1:], strict=False)
    }
    return tuple(sorted(pairs))


def _names(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list | tuple) else ()

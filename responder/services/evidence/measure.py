"""What can be measured of the record in a period. Nothing there to measure is None, never zero."""

from __future__ import annotations

import hashlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from stanch.responder.domain.timeline import Entry

Values = Mapping[str, float | int]

_ACCESS = frozenset(
    f"secret.{each}" for each in ("given", "indexed", "absent", "denied", "refused", "unreachable")
)
_SHARE = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """``actions``: the entries that it rests on; without one in the period it is not measured."""

    id: str
    told: str
    actions: frozenset[str]
    values: Callable[[Sequence[Entry]], Values]


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A measure over a period. ``digest`` is over the digests of all entries that it rests on."""

    measure: Measure
    values: Values
    entries: int
    first: int
    last: int
    digest: str

    @property
    def query(self) -> str:
        """Which entries these are, in words that `stanch audit log` can be searched by."""
        return "entries with action " + ", ".join(sorted(self.measure.actions))


def measured(measure: Measure, entries: Iterable[Entry]) -> Measured | None:
    """The measure of these entries of a period; None when none of them is what it rests on."""
    mine = [entry for entry in entries if entry.event.action in measure.actions]
    values = measure.values(mine) if mine else {}
    if not values:
        return None
    digest = hashlib.sha256("".join(entry.digest for entry in mine).encode()).hexdigest()
    return Measured(
        measure=measure,
        values=values,
        entries=len(mine),
        first=mine[0].seq,
        last=mine[-1].seq,
        digest=digest,
    )


def _by_action(entries: Sequence[Entry]) -> Values:
    return dict(sorted(Counter(entry.event.action for entry in entries).items()))


def _accesses(entries: Sequence[Entry]) -> Values:
    who = {entry.event.actor for entry in entries}
    what = {str(entry.event.detail.get("reference")) for entry in entries}
    return {"accesses": len(entries), "actors": len(who), "secrets": len(what)}


def _unauthorised(entries: Sequence[Entry]) -> Values:
    bad = {"secret.denied", "secret.refused"}
    return {
        "denied_or_refused": sum(entry.event.action in bad for entry in entries),
        "accesses": len(entries),
    }


def _fetches(entries: Sequence[Entry]) -> Values:
    found = (entry.event.detail.get("seconds") for entry in entries)
    took = sorted(float(each) for each in found if isinstance(each, int | float))
    if not took:
        return {}
    at = max(0, math.ceil(_SHARE * len(took)) - 1)
    return {"fetches": len(took), "p95_seconds": took[at], "worst_seconds": took[-1]}


def _inventory(entries: Sequence[Entry]) -> Values:
    newest = {str(e.event.detail.get("reference")): e.event.detail for e in entries}
    owned = sum(bool(detail.get("owner")) for detail in newest.values())
    return {"secrets": len(newest), "owned": owned, "unowned": len(newest) - owned}


def _rotations(entries: Sequence[Entry]) -> Values:
    good = sum(entry.event.action == "rotation.done" for entry in entries)
    return {"rotations": len(entries), "finished": good, "share": good / len(entries)}


def _incidents(entries: Sequence[Entry]) -> Values:
    opened: dict[object, float] = {}
    took: list[float] = []
    for entry in entries:
        event = entry.event
        if event.action == "incident.opened":
            opened[event.incident] = event.at.timestamp()
        elif event.action == "incident.contained" and event.incident in opened:
            took.append(event.at.timestamp() - opened.pop(event.incident))
    told: dict[str, float | int] = dict(_by_action(entries))
    if took:
        told["opened_to_contained_worst_seconds"] = round(max(took), 3)
    return told


def _moved(entries: Sequence[Entry]) -> Values:
    done = [entry.event.detail for entry in entries if entry.event.detail.get("state") == "done"]
    names = {str(detail.get("migration")) for detail in done}
    return {"files_guarded": len(names), "runs": len(entries)}


def _measure(
    name: str, told: str, actions: Iterable[str], values: Callable[[Sequence[Entry]], Values]
) -> Measure:
    return Measure(id=name, told=told, actions=frozenset(actions), values=values)


MEASURES: Mapping[str, Measure] = {
    each.id: each
    for each in (
        _measure("access-log", "Accesses to secrets on the record", _ACCESS, _accesses),
        _measure("unauthorised", "Accesses denied or refused", _ACCESS, _unauthorised),
        _measure("fetch-latency", "Time to fetch a secret", ("secret.given",), _fetches),
        _measure("inventory", "Indexed secrets and owners", ("secret.fingerprinted",), _inventory),
        _measure("rotations", "Rotations", ("rotation.done", "rotation.rolled_back"), _rotations),
        _measure(
            "incidents",
            "Leaks: opened, contained, proven dead, closed",
            (f"incident.{each}" for each in ("opened", "contained", "proven_dead", "closed")),
            _incidents,
        ),
        _measure(
            "approvals",
            "Approvals asked for, granted, refused",
            (f"approval.{each}" for each in ("asked", "granted", "denied", "refused", "expired")),
            _by_action,
        ),
        _measure(
            "changes",
            "Changes that were intended, made and verified",
            ("step.intended", "step.acted", "step.verified", "step.failed"),
            _by_action,
        ),
        _measure("people", "Who may decide, sealed on the record", ("people.sealed",), _by_action),
        _measure("migration", "Plain files replaced by references", ("migration.guard",), _moved),
        _measure("linked", "Leaks linked to an owner", ("secret.recognised",), _by_action),
    )
}

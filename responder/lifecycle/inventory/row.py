"""One line of the matrix, judged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from stanch.responder.lifecycle.model.answer import Described, Listed
from stanch.responder.lifecycle.model.metadata import Reading, read
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.model.segregation import Place, breaches


class State(StrEnum):
    """How an entry stands, worst first."""

    MISPLACED = "misplaced"  # name and metadata contradict each other
    OVERDUE = "overdue"
    UNOWNED = "unowned"
    INCOMPLETE = "incomplete"  # other metadata lacks
    UNNAMED = "unnamed"  # its name in the store is no reference
    DELETED = "deleted"
    OK = "ok"


RANKS: Mapping[State, int] = {state: rank for rank, state in enumerate(State)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An entry of a store. ``known`` has its metadata as text, as far as it is right.

    ``age`` counts from ``last-rotated``; None when that is not known: when a store last changed
    something says nothing about the value. ``consumers``: None where nobody has looked.
    """

    source: str
    place: str
    reference: Reference | None
    known: Mapping[str, str]
    state: State
    problem: str
    age: timedelta | None
    due_at: datetime | None
    used_at: datetime | None
    consumers: tuple[str, ...] | None = None

    @property
    def name(self) -> str:
        """How people find it: the reference, else what the store calls it."""
        return str(self.reference) if self.reference is not None else self.place

    @property
    def order(self) -> tuple[int, str]:
        """Worst first, then by name."""
        return RANKS[self.state], self.name


def judge(
    source: str,
    listed: Listed,
    *,
    now: datetime,
    consumers: tuple[str, ...] | None = None,
) -> Row:
    """The line of an entry."""
    described, reference = listed.described, listed.reference
    reading = read(described.tags)
    metadata = reading.metadata
    state, problem = _state(reference, described, reading, now)
    if described.note and problem != described.note:
        problem = "; ".join(filter(None, (problem, described.note)))
    rotated = metadata.last_rotated if metadata else None
    return Row(
        source=source,
        place=described.place,
        reference=reference,
        known=reading.known,
        state=state,
        problem=problem,
        age=now - rotated if rotated else None,
        due_at=metadata.due_at() if metadata else None,
        used_at=described.used_at,
        consumers=consumers,
    )


_UNNAMED = (
    "its name in the store is no SERVICE/ENVIRONMENT/TOOL/NAME: keep it under such a name, "
    "then `stanch secrets annotate secret://…`"
)


def _state(
    reference: Reference | None, described: Described, reading: Reading, now: datetime
) -> tuple[State, str]:
    if described.deleted_at is not None:
        return State.DELETED, f"gone for good on {described.deleted_at:%Y-%m-%d}"
    if reference is None:
        return State.UNNAMED, described.note or _UNNAMED
    metadata = reading.metadata
    if metadata is None:
        unowned = "owner" not in reading.known
        return State.UNOWNED if unowned else State.INCOMPLETE, reading.problem
    own = Place(
        environment=reference.environment, service=reference.service, tenant=metadata.tenant
    )
    wrong = breaches(reference, metadata, own)
    if wrong:
        return State.MISPLACED, "; ".join(each.why for each in wrong)
    due = metadata.due_at()
    if due < now:
        return State.OVERDUE, f"due since {due:%Y-%m-%d}"
    return State.OK, ""

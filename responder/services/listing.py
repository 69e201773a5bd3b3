"""All incidents at a glance, worst first: the same in a terminal and on the web."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from stanch.responder.domain.card import Tone
from stanch.responder.domain.error import StanchError
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.ports import Store
from stanch.responder.services.cards import Cards
from stanch.responder.services.fact import age

_RANK = {"critical": 0, "high": 1, "medium": 2, "low": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One incident in a list; ``state`` and ``wanted`` are the card's words."""

    incident: IncidentId
    state: str
    tone: Tone
    severity: str
    credential: str  # what leaked, with its masked value
    place: str
    age: str
    wanted: str
    closed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Makes the rows."""

    store: Store
    cards: Cards

    def rows(self, *, most: int, closed: bool) -> tuple[tuple[Row, ...], int]:
        """Worst first, then newest, closed ones last; and how many are left out."""
        with self.store.snapshot() as tx:
            found = tx.incidents.list()
            now = tx.now()
            wanted = [i for i in found if closed or i.state is not IncidentState.CLOSED]
            wanted.sort(key=_order)
            places = {i.id: _place(i.places(tx.incidents.exposures(i.id))) for i in wanted[:most]}
        rows = (self._row(i, places[i.id], age(now - i.detected_at)) for i in wanted[:most])
        return tuple(rows), max(0, len(wanted) - most)

    def _row(self, incident: Incident, place: str, old: str) -> Row:
        try:
            card = self.cards.card(incident.id)
            state, tone, todo = card.state, card.tone, card.wanted
        except StanchError as error:
            # One card that cannot be drawn does not hide the others.
            state, tone, todo = "NOT READABLE", Tone.FAILED, f"{error} → {error.remedy}"
        return Row(
            incident=incident.id,
            state=state,
            tone=tone,
            severity=incident.severity,
            credential=f"{self.cards.words.credential(incident)} {incident.preview}",
            place=place,
            age=old,
            wanted=todo,
            closed=incident.state is IncidentState.CLOSED,
        )


def _order(incident: Incident) -> tuple[bool, int, int]:
    closed = incident.state is IncidentState.CLOSED
    return (closed, 0 if closed else _RANK.get(incident.severity, len(_RANK)), -incident.id)


def _place(exposures: Iterable[Exposure]) -> str:
    known = tuple(exposures)
    if not known:
        return ""
    first, more = known[0], len(known) - 1
    return f"{first.root}: {first.path}:{first.line}" + (f" and {more} more" if more else "")

"""What the pictures of the matrix show: numbers, before any drawing. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.responder.lifecycle.inventory.report.cell import days
from stanch.responder.lifecycle.inventory.row import RANKS, Row, State
from stanch.responder.lifecycle.model.reference import SCHEME

NOBODY = "nobody"
_MOST_BARS = 40
_MOST_OWNERS = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A labelled length between 0 and 1. ``mark`` is where the limit stands, ``bad`` past it."""

    label: str
    said: str
    length: float
    mark: float | None = None
    bad: bool = False


def states(rows: Iterable[Row]) -> tuple[tuple[State, int], ...]:
    """How many stand how, worst first; only states that occur."""
    counts = Counter(row.state for row in rows)
    return tuple(sorted(counts.items(), key=lambda each: RANKS[each[0]]))


def ages(rows: Iterable[Row], now: datetime) -> tuple[Bar, ...]:
    """Age of each value against its limit: the most overdue first."""
    known = [
        (row, row.age, row.due_at) for row in rows if row.age is not None and row.due_at is not None
    ]
    known.sort(key=lambda each: (each[2], each[0].name))
    shown = known[:_MOST_BARS]
    limits = [age + (due - now) for _, age, due in shown]
    longest = max((*limits, *(age for _, age, _ in shown)), default=timedelta(days=1))
    scale = max(longest, timedelta(hours=1))
    return tuple(
        Bar(
            label=row.name.removeprefix(SCHEME),
            said=f"{days(age)} of {days(limit)}",
            length=max(age, timedelta()) / scale,
            mark=max(limit, timedelta()) / scale,
            bad=due < now,
        )
        for (row, age, due), limit in zip(shown, limits, strict=True)
    )


def owners(rows: Iterable[Row]) -> tuple[Bar, ...]:
    """How many secrets each owner has: nobody first, then the largest."""
    counts = Counter(row.known.get("owner") or NOBODY for row in rows)
    most = max(counts.values(), default=1)
    ranked = sorted(counts.items(), key=lambda each: (each[0] != NOBODY, -each[1], each[0]))
    return tuple(
        Bar(label=name, said=str(count), length=count / most, bad=name == NOBODY)
        for name, count in ranked[:_MOST_OWNERS]
    )

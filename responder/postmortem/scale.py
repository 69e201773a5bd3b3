"""A time scale on which both days and milliseconds stay readable."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

_UNIT = 0.5  # seconds: gaps well below this stay narrow, gaps above grow by doublings
_FLOOR = 0.15  # so that two instants are never drawn as one
_STEPS = tuple(
    timedelta(seconds=s)
    for s in (1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 21600, 86400, 604800, 2592000, 31536000)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """A stretch of the picture that gets its own share of the width."""

    instants: Sequence[datetime]  # at least the two ends, in any order
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Scale:
    """Maps instants to x, in order: ``knots`` rise in time and in x; between them it is linear."""

    times: tuple[datetime, ...]
    places: tuple[float, ...]

    def at(self, when: datetime) -> float:
        """The x of an instant; outside of the scale it is the nearest end."""
        if when <= self.times[0]:
            return self.places[0]
        if when >= self.times[-1]:
            return self.places[-1]
        right = bisect_right(self.times, when)
        t0, t1 = self.times[right - 1], self.times[right]
        x0, x1 = self.places[right - 1], self.places[right]
        return x0 + (x1 - x0) * ((when - t0) / (t1 - t0))

    def ticks(self, origin: datetime, *, apart: float) -> tuple[tuple[float, timedelta], ...]:
        """Round distances from ``origin`` that fall at least ``apart`` from each other."""
        wanted = [timedelta(0), *_STEPS, *(-step for step in _STEPS)]
        chosen: list[tuple[float, timedelta]] = []
        for offset in wanted:
            if not self.times[0] - origin <= offset <= self.times[-1] - origin:
                continue
            x = self.at(origin + offset)
            if all(abs(x - other) >= apart for other, _ in chosen):
                chosen.append((x, offset))
        return tuple(sorted(chosen))


def scale(panels: Iterable[Panel]) -> Scale:
    """Joins panels (left to right, each beginning where the last ended) into one scale.

    Inside a panel each gap between neighbours is as wide as the logarithm of its length, so three
    quiet days do not squeeze the ten seconds in which everything happened.
    """
    knots: dict[datetime, float] = {}
    for panel in panels:
        times = sorted(set(panel.instants))
        gaps = [_FLOOR + math.log2(1 + (b - a).total_seconds() / _UNIT) for a, b in pairwise(times)]
        unit = (panel.right - panel.left) / (sum(gaps) or 1)
        x = panel.left
        knots.setdefault(times[0], x)
        for when, gap in zip(times[1:], gaps, strict=True):
            x += gap * unit
            knots[when] = x
    return Scale(tuple(knots), tuple(knots.values()))

"""Takes the measure of a stream while it is read, and says what has suddenly changed in it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stanch.scanner.anomaly.baseline import LATEST, shifts
from stanch.scanner.anomaly.measure import Measure, Reading
from stanch.scanner.anomaly.token import distinct, is_suspicious

SMALLEST = 4096
"""Bytes; what brings less is measured together with what comes next."""


class Gauge:
    """One look at a stream, and what earlier ones have measured."""

    def __init__(self, before: Mapping[str, Any]) -> None:
        held = before.get("readings")
        self._before = _readings(held if isinstance(held, Sequence) else ())
        self._measure = Measure()
        if isinstance(before.get("open"), Mapping):
            self._measure.add(before["open"])

    def hear(self, data: bytes) -> None:
        """Some of what is read, cut at a line's end where there is one."""
        suspicious = [token for token in distinct(data) if is_suspicious(token)]
        self._measure.count(data, suspicious)

    def changes(self) -> list[str]:
        """What is not as usual, with the numbers; call it when the look is over."""
        now = self._measure.reading()
        if now.size < SMALLEST:
            return []
        return [each.reason for each in shifts(self._before, now)]

    def kept(self) -> dict[str, Any]:
        """What the next look is held against: counts and quantiles, nothing that was read."""
        now = self._measure.reading()
        readings = [list(each) for each in self._before]
        if now.size < SMALLEST:
            return {"readings": readings, "open": self._measure.held()}
        return {"readings": [*readings, list(now)][-LATEST:]}


def _readings(held: Iterable[Any]) -> tuple[Reading, ...]:
    return tuple(
        Reading(
            size=int(size),
            suspicious=int(suspicious),
            entropy=tuple(float(each) for each in entropy),
            encoded=None if encoded is None else int(encoded),
        )
        for size, suspicious, entropy, encoded in held
    )

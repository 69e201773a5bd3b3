"""What earlier scans of a provider's logs have read: the next one reads the rest, however it ends.

Runs, jobs and builds have numbers that grow, but do not end in their order. So of each pipeline the
numbers that were read are kept, down to a floor: below it all was read, or is asked for no more.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from stanch.scanner.model.record import Record, fresh

KEPT = 60
"""Numbers of a pipeline that are remembered; an attempt more of an older run is not seen."""

NOT_ENDED = "has not ended"
"""How the word begins about what a later look reads."""

MOST = 1000
"""Runs that are listed at most, to come to what has not ended for long."""


class Pipeline(Record, frozen=False):
    """One list of numbers."""

    floor: int
    read: set[str]
    owed: list[int] = fresh(list)

    def wants(self, number: int, attempt: str) -> bool:
        """Whether it has not been read yet."""
        return number >= self.floor and _name(number, attempt) not in self.read

    def over(self, number: int, attempt: str, *, whole: bool) -> None:
        """One was listed: it was read, or is owed."""
        if whole:
            self.read.add(_name(number, attempt))
        else:
            self.owed.append(number)

    def settle(self) -> None:
        """All down to the floor were listed: it may rise, never above what is owed."""
        numbers = sorted({_number(each) for each in self.read})
        high = numbers[-KEPT] if len(numbers) > KEPT else self.floor
        self.floor = max(self.floor, min((high, *self.owed)))
        self.read = {each for each in self.read if _number(each) >= self.floor}


class Seen(Record, frozen=False):
    """The memory of one target. ``behind``: begin behind what is there at the first look."""

    pipelines: dict[str, Pipeline]
    streams: dict[str, Any]
    behind: bool = False

    @classmethod
    def of(cls, kept: Mapping[str, Any], *, behind: bool = False) -> Seen:
        """From what :meth:`kept` gave, through JSON; what is damaged is nothing."""
        held = kept.get("pipelines")
        pipelines = {
            str(name): Pipeline(floor=int(each["floor"]), read=set(map(str, each["read"])))
            for name, each in (held.items() if isinstance(held, Mapping) else ())
        }
        streams = kept.get("streams")
        return cls(
            pipelines=pipelines,
            streams=deepcopy(dict(streams)) if isinstance(streams, Mapping) else {},
            behind=behind,
        )

    def kept(self) -> dict[str, Any]:
        """What the next scan needs to know."""
        return {
            "pipelines": {
                name: {"floor": each.floor, "read": sorted(each.read)}
                for name, each in self.pipelines.items()
            },
            "streams": self.streams,
        }


def _name(number: int, attempt: str) -> str:
    return f"{number}#{attempt}" if attempt else str(number)


def _number(name: str) -> int:
    return int(name.partition("#")[0])

"""A fleet as whoever asked for it sees it: waited for, merged, and told."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import Protocol

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.fleet import Fleet, FleetProgress, FleetStore, UnitState
from stanch.responder.fleet.merge import merged
from stanch.responder.fleet.plan import finish
from stanch.scanner.api import Brought, Unit, replayed

_POLL = 0.05  # seconds between two looks at whether the next unit is over
_LOOK = 1.0  # seconds between two at the whole


class Teller(Protocol):
    """Tells a person how far a fleet is."""

    def tell(self, progress: FleetProgress, seconds: float) -> None:
        """So far it has come in so many seconds."""

    def clear(self) -> None:
        """Make room for what is written next."""


class SupersededError(StanchError):
    """Somebody asked for the fleet in other words."""

    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            "this fleet was ended: its file has changed and somebody has begun it anew",
            remedy="run the same command: it joins the one that is going on",
        )


class FleetScan:
    """One fleet. ``scan`` brings what was found, in order, as it arrives; iterate it once.

    ``tend`` is called again and again while it is waited for.
    """

    def __init__(
        self, store: FleetStore, fleet: Fleet, *, tend: Callable[[], None], by: Teller
    ) -> None:
        self.fleet = fleet
        self.scan = replayed(self._brought)
        self._store = store
        self._tend = tend
        self._teller = by
        self._due = 0.0

    def told(self) -> None:
        """Its report was written: who asks for the same again wants it read anew."""
        finish(self._store, self.fleet)

    def targets(self) -> Iterable[tuple[str, str]]:
        """Units that were read: the name of each, and what it is as a target of its own."""
        with self._store.snapshot() as tx:
            units = tx.fleets.units(self.fleet.id, UnitState.DONE)
        return [(unit.name, Unit.read(unit.unit).target) for unit in units]

    def _brought(self) -> Iterator[Brought]:
        for brought in merged(self._store, self.fleet, self._wait):
            self._teller.clear()
            yield brought
        self._teller.clear()
        self.scan.covers = (self._words(),)

    def _words(self) -> str:
        with self._store.snapshot() as tx:
            progress = tx.fleets.progress(self.fleet.id)
        aside, omitted = (
            progress.states.get(state, 0) for state in (UnitState.ASIDE, UnitState.OMITTED)
        )
        said = [progress.of, f"{aside:,} set aside" if aside else ""]
        said.append(f"{omitted:,} left out as its file says" if omitted else "")
        return f"fleet {self.fleet.id[:8]}: {', '.join(filter(None, said))}"

    def _wait(self) -> None:
        now = time.monotonic()
        if now >= self._due:
            self._due = now + _LOOK
            self._look()
        self._tend()
        time.sleep(_POLL)

    def _look(self) -> None:
        with self._store.snapshot() as tx:
            found = tx.fleets.get(self.fleet.id)
            progress = tx.fleets.progress(self.fleet.id)
            seconds = (tx.now() - self.fleet.started_at).total_seconds()
        # One that is whole may have been told already, by somebody who asked for it as well.
        if found is None or (found.finished_at is not None and progress.left):
            raise SupersededError
        self._teller.tell(progress, seconds)

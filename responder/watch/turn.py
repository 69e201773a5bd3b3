"""Whose turn it is: looks at whatever is due, with several hands, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.watched import REMEMBERED, SourceId, WatchStore
from stanch.responder.telemetry.log import get_logger
from stanch.responder.watch.hold import lock_of
from stanch.responder.watch.look import Looker, Outcome

log = get_logger(__name__)
PAUSE = 0.5  # seconds between two questions what is due
_TIDY = 3600.0  # seconds between two times that old deliveries are forgotten


@dataclass(frozen=True, slots=True, kw_only=True)
class Turns:
    """Gives sources to hands. Any number of processes may do that for one store."""

    store: WatchStore
    looker: Looker

    def once(self, told: Callable[[Outcome], None] = lambda _: None) -> bool:
        """Look at all that is due, and at what those looks bring up; whether all was read.

        Each source is looked at once, so one that fails or is never at its end ends this too.
        """
        whole, seen = True, set[SourceId]()
        while waiting := [each for each in self._due() if each not in seen]:
            for each in waiting:
                seen.add(each)
                outcome = self.looker.look(each)
                whole = whole and outcome.whole
                told(outcome)
        return whole

    def run(self, stop: threading.Event, *, hands: int) -> None:
        """Until ``stop`` is set; looks that are under way are finished first."""
        busy: dict[SourceId, Future[Outcome]] = {}
        tidy = time.monotonic() + _TIDY
        with ThreadPoolExecutor(hands, "stanch-look") as pool:
            while not stop.is_set():
                for number in [each for each, look in busy.items() if look.done()]:
                    error = busy.pop(number).exception()
                    if error is not None:
                        # As in a sweep: the next look is the remedy, so it must come.
                        log.warning("look.failed", source=number, exc_info=error)
                try:
                    if time.monotonic() > tidy:
                        tidy = time.monotonic() + _TIDY
                        with self.store.transaction() as tx:
                            tx.sources.forget(tx.now() - REMEMBERED)
                    due = self._due()
                except StanchError as error:
                    log.warning("watch.blind", why=str(error), help=error.remedy)
                    due = ()
                for number in due:
                    if number not in busy and len(busy) < hands:
                        busy[number] = pool.submit(self.looker.look, number)
                stop.wait(PAUSE)

    def _due(self) -> tuple[SourceId, ...]:
        """Who waits, and is not looked at by somebody."""
        with self.store.snapshot() as tx:
            now = tx.now()
            held = tx.locks.held(now)
            return tuple(each for each in tx.sources.due(now) if lock_of(each) not in held)

"""Whose turn it is: looks at whatever is due, with several hands, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.watched import REMEMBERED, SourceId, WatchStore
from stanch.responder.telemetry.log import get_logger
from stanch.responder.watch.hold import lock_of
from stanch.responder.watch.look import Looker, Outcome

log = get_logger(__name__)
PAUSE = 0.5  # seconds between two questions what is due
GRACE = 10.0  # seconds that looks have when it is time to stop; what they had is read again
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
        """Until ``stop`` is set; looks that are under way may end, for a moment."""
        waiting: SimpleQueue[SourceId | None] = SimpleQueue()
        busy: set[SourceId] = set()
        # Daemons: a look may take an hour, and nothing is lost with it.
        workers = [
            threading.Thread(
                target=self._hand, args=(waiting, busy), name="stanch-look", daemon=True
            )
            for _ in range(hands)
        ]
        for worker in workers:
            worker.start()
        tidy = time.monotonic() + _TIDY
        while not stop.is_set():
            try:
                if time.monotonic() > tidy:
                    tidy = time.monotonic() + _TIDY
                    self._forget()
                due = self._due()
            except StanchError as error:
                log.warning("watch.blind", why=str(error), help=error.remedy)
                due = ()
            for number in due:
                if number not in busy and len(busy) < hands:
                    busy.add(number)
                    waiting.put(number)
            stop.wait(PAUSE)
        for _ in workers:
            waiting.put(None)
        until = time.monotonic() + GRACE
        for worker in workers:
            worker.join(max(0.0, until - time.monotonic()))

    def _hand(self, waiting: SimpleQueue[SourceId | None], busy: set[SourceId]) -> None:
        """Look at one source after another: a thread keeps what it has made for looking."""
        while (number := waiting.get()) is not None:
            try:
                self.looker.look(number)
            except Exception as error:
                # As in a sweep: the next look is the remedy, so it must come.
                log.warning("look.failed", source=number, exc_info=error)
            finally:
                busy.discard(number)

    def _forget(self) -> None:
        with self.store.transaction() as tx:
            tx.sources.forget(tx.now() - REMEMBERED)

    def _due(self) -> tuple[SourceId, ...]:
        """Who waits, and is not looked at by somebody."""
        with self.store.snapshot() as tx:
            now = tx.now()
            held = tx.locks.held(now)
            return tuple(each for each in tx.sources.due(now) if lock_of(each) not in held)

"""Stands in for the broker: what is due in the store is done although no message comes.

The broker only saves the wait. A worker whose broker is down, forgets or brings nothing but rubbish
finds its work where everybody writes it, in the store.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

from stanch.responder.domain.heartbeat import Heartbeat
from stanch.responder.domain.ids import IncidentId, RunId
from stanch.responder.domain.ports import Errand, Store
from stanch.responder.services.reconcile import Reconciler
from stanch.responder.telemetry.log import get_logger
from stanch.responder.worker.app import Work
from stanch.responder.worker.broker import BrokerError

log = get_logger(__name__)

Ring = tuple[Errand, str]
LANES = {
    "all": (Errand.CONTAIN, Errand.ADVANCE, Errand.NOTIFY),
    "contain": (Errand.CONTAIN,),
    "rest": (Errand.ADVANCE, Errand.NOTIFY),
}
_HANDS = 2  # for each errand: none of them waits for another's
_SHORT = 1.0  # seconds that the next step of a run is waited for


class Signs(Protocol):
    """Workers' signs of life."""

    def beat(self, heartbeat: Heartbeat) -> None:
        """Remember the newest one of this worker."""

    def leave(self, name: str) -> None:
        """This worker has stopped as told."""

    def forget(self, before: datetime) -> None:
        """Those that were last heard of before this."""


class Standing(Work, Protocol):
    """What is stood in for."""

    @property
    def store(self) -> Store:
        """Where the work is found."""

    @property
    def reconciler(self) -> Reconciler:
        """Finds it."""

    def reach_broker(self) -> object:
        """Ask the broker for a sign of life. Raises BrokerError."""

    def heartbeats(self) -> AbstractContextManager[Signs]:
        """Where signs of life are kept, in one transaction."""


class StandIn:
    """Does what stays due: at once while the broker is silent, else after ``patience`` seconds.

    Patience is for work that nobody holds: while any step is held, workers live and are only busy.
    Leases let any number of hands work on a run, so standing in too early does no harm.
    """

    def __init__(
        self,
        work: Standing,
        *,
        lane: str,
        patience: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._work = work
        self._errands = LANES[lane]
        self._patience = patience
        self._clock = clock
        self._rung: list[Ring] = []
        self._since: dict[Ring, float] = {}
        self._doing: dict[Ring, Future[None]] = {}
        self._hands = {
            each: ThreadPoolExecutor(_HANDS, f"stand-in-{each}") for each in self._errands
        }
        self.broker = True  # whether it answered at the last look

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for hands in self._hands.values():
            hands.shutdown(wait=True, cancel_futures=True)

    def ring(self, errand: Errand, subject: str) -> None:
        """The port ``Doorbell``: the sweep rings here."""
        if errand in self._errands:
            self._rung.append((errand, subject))

    def look(self) -> int:
        """Sweep the store, and begin what has waited too long; returns how much that was."""
        self._rung.clear()
        replace(self._work.reconciler, doorbell=self).sweep()
        self._listen()
        now = self._clock()
        self._since = {ring: self._since.get(ring, now) for ring in self._rung}
        for ring in [ring for ring, doing in self._doing.items() if doing.done()]:
            self._reap(ring)
        if self.broker and self._busy():
            return 0
        late = [ring for ring in self._rung if self._late(ring, now)]
        for errand, subject in late:
            self._doing[errand, subject] = self._hands[errand].submit(self._do, errand, subject)
        return len(late)

    def _late(self, ring: Ring, now: float) -> bool:
        waited = not self.broker or now - self._since[ring] >= self._patience
        return waited and ring not in self._doing

    def _listen(self) -> None:
        try:
            self._work.reach_broker()
            answers = True
        except BrokerError:
            answers = False
        if self.broker and not answers:
            log.warning(
                "broker.silent",
                help="what is due is found in the store and done, a little later than with it; "
                "`stanch doctor` looks at the broker",
            )
        elif answers and not self.broker:
            log.warning("broker.answers", help="nothing: work comes by message again")
        self.broker = answers

    def _busy(self) -> bool:
        with self._work.store.snapshot() as tx:
            return bool(tx.runs.held(tx.now()))

    def _do(self, errand: Errand, subject: str) -> None:
        if errand is Errand.NOTIFY:
            self._work.deliver(IncidentId(int(subject)))
            return
        pause = self._work.advance(RunId(subject), errand)
        while pause is not None and pause <= timedelta(seconds=_SHORT):
            time.sleep(pause.total_seconds())
            pause = self._work.advance(RunId(subject), errand)

    def _reap(self, ring: Ring) -> None:
        error = self._doing.pop(ring).exception()
        if error is not None:
            # As in a task: the next look is the remedy, so it must come.
            log.warning("stand_in.failed", errand=ring[0], subject=ring[1], exc_info=error)

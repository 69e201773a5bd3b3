"""Keeps the leases of the steps in hand alive, and says when one is lost."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import TracebackType
from typing import Self

from stanch.responder.domain.error import LeaseLost
from stanch.responder.domain.ports import Store
from stanch.responder.domain.run import StepRun


class Leases:
    """A context that renews every held lease at a third of its length, in one thread.

    A worker that was paused for longer than its lease finds its steps lost, and must not act.
    """

    def __init__(self, store: Store, length: timedelta) -> None:
        self._store = store
        self._length = length
        self._held: dict[tuple[str, str], StepRun] = {}
        self._lost: set[tuple[str, str]] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="stanch-leases", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._thread.join()

    def hold(self, step: StepRun) -> None:
        """Begin to renew this claim."""
        with self._lock:
            self._held[step.run, step.id] = step

    def release(self, step: StepRun) -> None:
        """Stop renewing it."""
        with self._lock:
            self._held.pop((step.run, step.id), None)

    def require(self, step: StepRun) -> None:
        """Raise LeaseLost unless the lease is ours for the time an act may take.

        Asked at the store just before every act: a paused process must not trust its memory.
        """
        if (step.run, step.id) in self._lost:
            raise LeaseLost(step.id)
        with self._store.transaction() as tx:
            tx.runs.renew(step, until=tx.now() + self._length)

    def _beat(self) -> None:
        while not self._stop.wait(self._length.total_seconds() / 3):
            with self._lock:
                held = list(self._held.items())
            for key, step in held:
                try:
                    with self._store.transaction() as tx:
                        tx.runs.renew(step, until=tx.now() + self._length)
                except LeaseLost:
                    self._lost.add(key)
                    self.release(step)

"""Keeps the leases of the steps in hand alive, and says when one is lost."""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from types import TracebackType
from typing import Generic, Protocol, Self, TypeVar

from stanch.responder.domain.error import LeaseLost, StoreError
from stanch.responder.domain.ports import Transaction
from stanch.responder.domain.run import StepRun
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

# A step that has not come back after this long hangs: its lease is left to lapse.
PATIENCE = timedelta(minutes=10)


class Held(Protocol):
    """A row that its holder keeps by a lease."""

    @property
    def run(self) -> str:
        """What it is a part of."""

    @property
    def id(self) -> str:
        """Its name there."""

    @property
    def token(self) -> int:
        """What fences its holder."""


class Timed(Protocol):
    """A transaction with the store's time."""

    def now(self) -> datetime:
        """The store's time."""


Tx = TypeVar("Tx", bound=Timed)
Tx_co = TypeVar("Tx_co", covariant=True)
H = TypeVar("H", bound=Held)
H_contra = TypeVar("H_contra", contravariant=True)


class Opens(Protocol[Tx_co]):
    """A store."""

    def transaction(self) -> AbstractContextManager[Tx_co]:
        """Commit at the end of the block, roll back on any exception."""


class Renews(Protocol[H_contra]):
    """Where leases are kept."""

    def renew(self, held: H_contra, /, *, until: datetime) -> None:
        """Prolong the lease, or raise LeaseLost when somebody else has it."""


class Keeping(ABC, Generic[Tx, H]):
    """Renews every held lease at a third of its length, in one thread that starts when needed.

    A worker that was paused for longer than its lease finds what it held lost, and must not act.
    """

    def __init__(
        self,
        store: Opens[Tx],
        length: timedelta,
        *,
        patience: timedelta = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self.length = length
        self._patience = patience
        self._clock = clock
        self._held: dict[tuple[str, str], tuple[H, float]] = {}
        self._lost: set[tuple[str, str, int]] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @abstractmethod
    def _rows(self, tx: Tx) -> Renews[H]:
        """Where this kind of lease is kept."""

    def close(self) -> None:
        """Renew nothing any more."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def hold(self, step: H, limit: timedelta | None = None) -> None:
        """Begin to renew this claim, for as long as the step may take at one go."""
        until = self._clock() + min(limit or self._patience, self._patience).total_seconds()
        with self._lock:
            self._held[step.run, step.id] = (step, until)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._beat, name="stanch-leases", daemon=True
                )
                self._thread.start()

    def release(self, step: H) -> None:
        """Stop renewing it."""
        with self._lock:
            held = self._held.get((step.run, step.id))
            if held is not None and held[0].token <= step.token:
                del self._held[step.run, step.id]
            self._lost.discard((step.run, step.id, step.token))

    def require(self, step: H) -> None:
        """Raise LeaseLost where the heartbeat has seen that the lease is gone."""
        if (step.run, step.id, step.token) in self._lost:
            raise LeaseLost(step.id)

    def _beat(self) -> None:
        while not self._stop.wait(self.length.total_seconds() / 3):
            with self._lock:
                held = list(self._held.values())
            hanging = [step for step, until in held if self._clock() > until]
            for step in hanging:
                log.warning("step.hangs", step=step.id, run=step.run)
                self._lose(step)
            self._renew([step for step, _ in held if step not in hanging])

    def _renew(self, held: list[H]) -> None:
        """All of them in one transaction; what is another's by now is lost, the rest is kept."""
        lost: list[H] = []
        try:
            if held:
                with self._store.transaction() as tx:
                    until = tx.now() + self.length
                    for step in held:
                        try:
                            self._rows(tx).renew(step, until=until)
                        except LeaseLost:  # it wrote nothing
                            lost.append(step)
        except StoreError as error:
            # The next beat tries again; whether the leases are still ours it will say.
            log.warning("lease.not_renewed", steps=[step.id for step in held], why=str(error))
        for step in lost:
            self._lose(step)

    def _lose(self, step: H) -> None:
        with self._lock:
            self._lost.add((step.run, step.id, step.token))
            self._held.pop((step.run, step.id), None)


class Leases(Keeping[Transaction, StepRun]):
    """Those of steps."""

    def _rows(self, tx: Transaction) -> Renews[StepRun]:
        return tx.runs

"""Keeps beside a worker's pool, without a broker: signs of life, and standing in for messages.

A process of its own, because threads do not survive the forks of a pool; forked before there is
one. It ends with the worker, however that ends.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.heartbeat import EVERY, FORGOTTEN, Heartbeat
from stanch.responder.engine.lease import Timed
from stanch.responder.telemetry.log import get_logger
from stanch.responder.worker.stand_in import Signs

log = get_logger(__name__)


class Kept(Protocol):
    """Where a worker's signs of life are kept."""

    @property
    def store(self) -> Clock:
        """Whose time it is."""

    def heartbeats(self) -> AbstractContextManager[Signs]:
        """Signs of life, in one transaction."""


class Clock(Protocol):
    """A store, for its time."""

    def snapshot(self) -> AbstractContextManager[Timed]:
        """One consistent view."""


class Looks(Protocol):
    """Finds what no message said."""

    @property
    def broker(self) -> bool:
        """Whether it answered at the last look."""

    def look(self) -> int:
        """See what is due; how much that was."""


K = TypeVar("K", bound=Kept)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post(Generic[K]):
    """What the keeper of one worker is told. ``hands`` makes what looks, of what was opened."""

    opening: Callable[[], AbstractContextManager[K]]
    hands: Callable[[K], AbstractContextManager[Looks]]
    lane: str
    version: str
    sweep_seconds: float


class Keeper:
    """Keeps beside the block, in a process of its own."""

    def __init__(self, post: Post[Any]) -> None:
        name = f"{socket.gethostname()}/{os.getpid()}"
        forking = multiprocessing.get_context("fork")
        self._process = forking.Process(target=_keep, args=(post, name, os.getpid()), name="keeper")

    def __enter__(self) -> Self:
        self._process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._process.join()


def _keep(post: Post[Any], name: str, parent: int) -> None:
    """Until SIGTERM, or until the worker is gone; what breaks is begun anew."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a terminal's Ctrl-C is for the worker, who tells

    def rest() -> bool:
        """Wait for the next look; False when it is over."""
        told = signal.sigtimedwait([signal.SIGTERM], post.sweep_seconds)
        return told is None and os.getppid() == parent

    going = True
    while going:
        try:
            with post.opening() as house:
                _watch(post, name, house, rest)
            going = False
        except Exception as error:
            log.warning("keeper.failed", exc_info=error)  # whatever it is, somebody must keep
            going = rest()


def _watch(post: Post[K], name: str, house: K, rest: Callable[[], bool]) -> None:
    began: datetime | None = None
    due = 0.0
    with post.hands(house) as hands:
        going = True
        while going:
            try:
                hands.look()
            except StanchError as error:
                log.warning("sweep.failed", why=str(error), help=error.remedy)
            if time.monotonic() >= due:
                began = _beat(post, name, house, began, broker=hands.broker)
                due = time.monotonic() + EVERY.total_seconds()
            going = rest()
    with house.heartbeats() as signs:
        signs.leave(name)


def _beat(post: Post[K], name: str, house: K, began: datetime | None, *, broker: bool) -> datetime:
    with house.store.snapshot() as tx:
        now = tx.now()
    began = began or now
    with house.heartbeats() as signs:
        signs.forget(now - FORGOTTEN)
        signs.beat(
            Heartbeat(
                name=name,
                lane=post.lane,
                version=post.version,
                broker=broker,
                started_at=began,
                seen_at=now,
            )
        )
    return began

"""A fleet's Celery workers: the hand of each process of a pool, and what keeps beside it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from typing import Self

from celery import Celery

from stanch.responder.bootstrap.fleet import fingerprint_key, hands, open_fleet_store
from stanch.responder.config import Settings
from stanch.responder.fleet.bell import ring_stalled
from stanch.responder.fleet.hand import Hand
from stanch.responder.store.heartbeat import SqlHeartbeats
from stanch.responder.store.sql import SqlStore
from stanch.responder.worker.app import make_app
from stanch.responder.worker.broker import BrokerError, reach
from stanch.responder.worker.doorbell import CeleryDoorbell


def celery_hand(settings: Settings) -> Callable[[], AbstractContextManager[Hand]]:
    """Opens a worker in a pool's process, which is named by its number."""
    opening = hands(settings)
    return lambda: opening(f"worker-{os.getpid()}")


class FleetWatch:
    """What keeps beside a fleet's workers: signs of life, and rings for what nobody takes."""

    def __init__(self, store: SqlStore, celery: Celery) -> None:
        self.store = store
        self.broker = True
        self._celery = celery
        self._doorbell = CeleryDoorbell(celery)

    @contextmanager
    def heartbeats(self) -> Iterator[SqlHeartbeats]:
        """Workers' signs of life, in one transaction."""
        with self.store.transaction() as tx:
            yield tx.heartbeats

    def look(self) -> int:
        """Ring for units that are free and that nobody takes."""
        try:
            reach(self._celery)
            self.broker = True
        except BrokerError:
            self.broker = False
            return 0
        return ring_stalled(self.store, self._doorbell)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Whoever opened the store closes it."""


@contextmanager
def open_fleet_watch(settings: Settings) -> Iterator[FleetWatch]:
    """Open what keeps; what is wrong with the store, the keys or the broker's name is said here."""
    fingerprint_key(settings, None)
    celery = make_app(settings.broker_url(), sweep_seconds=settings.worker.sweep_seconds)
    with closing(celery), open_fleet_store(settings) as store:
        yield FleetWatch(store, celery)

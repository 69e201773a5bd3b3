"""The programs of a team set-up: a pool of worker processes, and the beat that rings the sweep."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from celery import Celery, signals
from celery.apps.beat import Beat
from celery.apps.worker import Worker

from stanch.responder.telemetry.bridge import bridge
from stanch.responder.worker.doorbell import CeleryDoorbell
from stanch.responder.worker.household import Household
from stanch.responder.worker.keeper import Keeper, Post
from stanch.responder.worker.pacer import Pacer

T = TypeVar("T")
ALIVE_SECONDS = 5.0
_FAILED = 70


def run_worker(
    app: Celery,
    household: Household[T],
    registering: Callable[[Celery, Household[T], Pacer], None],
    *,
    concurrency: int,
    post: Post[Any],
    alive: Path | None = None,
) -> int:
    """Work until SIGTERM or SIGINT; what is under way is finished first. Returns an exit code.

    ``registering`` binds the tasks to what the household opens. ``post``: what keeps beside the
    pool, without a broker. ``alive`` is touched every few seconds by the loop that takes messages.
    """
    doorbell = CeleryDoorbell(app)
    pacer = Pacer(doorbell.ring)
    registering(app, household, pacer)

    def leave(**_: Any) -> None:
        pacer.close()
        household.close()

    def ready(sender: Any, **_: Any) -> None:
        if alive is not None:
            _touch(alive)
            sender.timer.call_repeatedly(ALIVE_SECONDS, _touch, (alive,))

    listening = _Listening((signals.worker_process_shutdown, leave), (signals.worker_ready, ready))
    with Keeper(post), listening:
        worker = _pool(app, concurrency)
        worker.start()
    return _FAILED if worker.exitcode else 0


def _pool(app: Celery, concurrency: int) -> Worker:
    return Worker(
        app=app,
        concurrency=concurrency,
        hostname=f"stanch-{os.getpid()}@%h",
        loglevel="WARNING",
        pool="prefork",
        quiet=True,
        without_gossip=True,
        without_heartbeat=True,
        without_mingle=True,
    )


def run_beat(app: Celery, *, alive: Path | None = None) -> None:
    """Ring the sweep until SIGTERM. Two beats only ring twice as often."""

    def published(**_: Any) -> None:
        if alive is not None:
            _touch(alive)

    with _Listening((signals.after_task_publish, published)):
        # In memory: the sweep needs no history, and the default writes a file where it stands.
        Beat(app=app, loglevel="WARNING", quiet=True, scheduler="celery.beat:Scheduler").run()


class _Listening:
    """Listens to Celery's signals inside the block; keeps Celery off the logging."""

    def __init__(self, *pairs: tuple[Any, Callable[..., None]]) -> None:
        self._pairs = (*pairs, (signals.setup_logging, _set_up_logging))

    def __enter__(self) -> None:
        for signal, receiver in self._pairs:
            signal.connect(receiver, weak=False)

    def __exit__(self, *_: object) -> None:
        for signal, receiver in self._pairs:
            signal.disconnect(receiver)


def _set_up_logging(**_: Any) -> None:
    bridge()


def _touch(path: Path) -> None:
    path.touch(mode=0o600)

"""A worker inside the caller's process, for the default set-up without any server."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from celery import Celery
from celery.app.trace import setup_worker_optimizations
from celery.platforms import EX_OK
from celery.worker import WorkController, state

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.ports import Errand
from stanch.responder.worker.app import CONTAIN_QUEUE, QUEUE, task_name, twin

READY_SECONDS = 10.0
CONTAINING, RESTING = 3, 2  # workers for each queue
NOBODY = "nobody"  # a run that does not exist: a message that only wakes the loop


class WorkerNotReadyError(StanchError):
    """The embedded worker did not start."""

    exit_code = 70


class EmbeddedWorker:
    """Runs the same Celery tasks in threads while the context is open.

    Containment has threads of its own: however long the rest of a response takes, and however many
    there are, it does not wait for them.
    """

    def __init__(self, app: Celery) -> None:
        self._app = app
        # What `celery worker` does first: tells the task tracer which content it may read.
        setup_worker_optimizations(app)
        self._ready = threading.Semaphore(0)
        lanes = ((CONTAIN_QUEUE, CONTAINING), (QUEUE, RESTING))
        self._apps = [twin(app, [queue]) for queue, threads in lanes for _ in range(threads)]
        self._threads = [
            threading.Thread(target=self._worker(lane).start, name="stanch-worker", daemon=True)
            for lane in self._apps
        ]

    def _worker(self, app: Celery) -> WorkController:
        return WorkController(
            app=app,
            pool_cls="solo",
            concurrency=1,
            without_gossip=True,
            without_heartbeat=True,
            without_mingle=True,
            task_events=False,
            ready_callback=self._on_ready,
        )

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        if not all(self._ready.acquire(timeout=READY_SECONDS) for _ in self._threads):
            raise WorkerNotReadyError(
                "the embedded worker did not start",
                remedy="run `stanch doctor`; it names the cause",
            )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # Celery's loop looks at the flag only after a message or two seconds, and then waits for
        # one more message (celery.worker.loops.synloop): two messages make it stop at once.
        state.should_stop = EX_OK  # type: ignore[assignment]  # the stubs know only None
        while any(thread.is_alive() for thread in self._threads):
            for name in (task_name(Errand.CONTAIN), task_name(Errand.ADVANCE)):
                self._app.send_task(name, args=[NOBODY])
            for thread in self._threads:
                thread.join(timeout=0.05)
        for app in self._apps:
            app.close()
        state.should_stop = None

    def _on_ready(self, consumer: object) -> None:
        del consumer
        self._ready.release()

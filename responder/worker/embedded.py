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
from stanch.responder.worker.app import SWEEP

READY_SECONDS = 10.0


class WorkerNotReadyError(StanchError):
    """The embedded worker did not start."""

    exit_code = 70


class EmbeddedWorker:
    """Runs the same Celery tasks in a thread while the context is open."""

    def __init__(self, app: Celery) -> None:
        self._app = app
        self._worker = WorkController(
            app=app,
            pool_cls="solo",
            concurrency=1,
            without_gossip=True,
            without_heartbeat=True,
            without_mingle=True,
            task_events=False,
            ready_callback=self._on_ready,
        )
        # What `celery worker` does first: tells the task tracer which content it may read.
        setup_worker_optimizations(app)
        self._ready = threading.Event()
        self._thread = threading.Thread(
            target=self._worker.start, name="stanch-worker", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._ready.wait(READY_SECONDS):
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
        for _ in range(2):
            self._app.send_task(SWEEP)
        self._thread.join()
        state.should_stop = None

    def _on_ready(self, consumer: object) -> None:
        del consumer
        self._ready.set()

"""The sweep of a process that works by itself: what the beat is to a team."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from stanch.responder.telemetry.log import get_logger
from stanch.responder.worker.app import Work

log = get_logger(__name__)


class Sweeper:
    """Sweeps at once and then every ``seconds`` while the context is open."""

    def __init__(self, work: Work, *, seconds: float) -> None:
        self._work = work
        self._seconds = seconds
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="stanch-sweeper", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        self._thread.join()

    def _loop(self) -> None:
        while True:
            try:
                self._work.sweep()
            except Exception as error:
                # Whatever it is, the next sweep is the remedy, so it must come.
                log.warning("sweep.failed", exc_info=error)
            if self._closed.wait(self._seconds):
                return

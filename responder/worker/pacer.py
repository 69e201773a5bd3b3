"""Rings after a while, within this process. The sweep covers what dies with it."""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable
from datetime import timedelta

from stanch.responder.domain.ports import Errand


class Pacer:
    """A thread that rings for runs when their next step is due.

    It counts a span from now, by the one clock that never jumps: the store's time and this
    machine's need not agree.
    """

    def __init__(self, ring: Callable[[Errand, str], None]) -> None:
        self._ring = ring
        self._due: list[tuple[float, Errand, str]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def ring_in(self, pause: timedelta, errand: Errand, run: str) -> None:
        """Ring for ``run`` when ``pause`` is over."""
        with self._changed:
            at = time.monotonic() + pause.total_seconds()
            heapq.heappush(self._due, (at, errand, run))
            if self._thread is None:
                # Started on first use: a prefork child must not inherit a dead thread.
                self._thread = threading.Thread(target=self._loop, name="stanch-pacer", daemon=True)
                self._thread.start()
            self._changed.notify()

    def close(self) -> None:
        """Stop; what was due is left to the sweep."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join()

    def _loop(self) -> None:
        while True:
            with self._changed:
                if self._closed:
                    return
                if not self._due:
                    self._changed.wait()
                    continue
                pause = self._due[0][0] - time.monotonic()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
                _, errand, run = heapq.heappop(self._due)
            self._ring(errand, run)

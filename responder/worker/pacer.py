"""Rings at a given time, within this process. The sweep covers what dies with it."""

from __future__ import annotations

import heapq
import threading
from collections.abc import Callable
from datetime import UTC, datetime


class Pacer:
    """A thread that rings for runs when their next step is due."""

    def __init__(self, ring: Callable[[str], None]) -> None:
        self._ring = ring
        self._due: list[tuple[datetime, str]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None
        self._closed = False

    def ring_at(self, due: datetime, run: str) -> None:
        """Ring for ``run`` at ``due`` (UTC), or at once when that is past."""
        with self._changed:
            heapq.heappush(self._due, (due, run))
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
                pause = (self._due[0][0] - datetime.now(UTC)).total_seconds()
                if pause > 0:
                    self._changed.wait(pause)
                    continue
                _, run = heapq.heappop(self._due)
            self._ring(run)

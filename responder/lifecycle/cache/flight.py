"""One call to the store for all who ask at once, and calls that nobody waits for."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from stanch.responder.lifecycle.cache.entry import Answer
from stanch.responder.lifecycle.cache.thread import start
from stanch.responder.lifecycle.model.reference import Reference

log = logging.getLogger("stanch.secrets")

_THREADS = 4


class Flight:
    """A read that is under way. ``void``: the secret was forgotten since it began."""

    __slots__ = ("_answer", "_done", "generation", "void")

    def __init__(self) -> None:
        self.generation: str | None = None  # not known yet
        self.void = False
        self._done = threading.Event()
        self._answer: Answer | None = None

    def land(self, lead: Callable[[Flight], Answer]) -> Answer:
        """Do it, and tell who waits."""
        try:
            answer = self._answer = lead(self)
        finally:
            self._done.set()
        return answer

    def wait(self) -> Answer | None:
        """What it came to; None when it failed, so that who waits asks by itself."""
        self._done.wait()
        return self._answer


class Background:
    """A few threads, started when they are first wanted, for reads that nobody waits for."""

    def __init__(self) -> None:
        self._todo: queue.SimpleQueue[tuple[Reference, Callable[[], object]] | None] = (
            queue.SimpleQueue()
        )
        self._queued: set[Reference] = set()
        self._lock = threading.Lock()
        self._threads = 0

    def soon(self, key: Reference, work: Callable[[], object]) -> None:
        """Do it when a thread is free; nothing, if it is queued or under way."""
        if key in self._queued:
            return
        with self._lock:
            if key in self._queued:
                return
            self._queued.add(key)
            if self._threads < min(_THREADS, len(self._queued)):
                self._threads += 1
                start("stanch-refresh", self._run)
        self._todo.put((key, work))

    def close(self) -> None:
        """What is under way ends; nothing more begins."""
        with self._lock:
            for _ in range(self._threads):
                self._todo.put(None)
            self._threads = 0

    def _run(self) -> None:
        while (item := self._todo.get()) is not None:
            key, work = item
            try:
                work()
            except Exception as error:  # noqa: BLE001  # the next reader meets it, and is told
                log.debug("reading %s anew failed: %s", key, type(error).__name__)
            finally:
                with self._lock:
                    self._queued.discard(key)

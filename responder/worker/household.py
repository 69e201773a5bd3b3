"""One open house per process: made at the first task, never carried across a fork."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from typing import Generic, TypeVar

T = TypeVar("T")


class Household(Generic[T]):
    """Opens what the tasks call when the first task runs in a process.

    Connections, locks and threads do not survive a fork; so a pool's child must not find anything
    that its parent opened.
    """

    def __init__(self, opening: Callable[[], AbstractContextManager[T]]) -> None:
        self._opening = opening
        self._lock = threading.Lock()
        self._pid: int | None = None
        self._work: T | None = None
        self._stack = ExitStack()

    def __call__(self) -> T:
        """This process's work; raises what opening it raises, and tries again the next time."""
        with self._lock:
            if self._work is None or self._pid != os.getpid():
                self._stack = ExitStack()
                self._work = self._stack.enter_context(self._opening())
                self._pid = os.getpid()
            return self._work

    def close(self) -> None:
        """Close what this process opened, if it did."""
        with self._lock:
            if self._work is not None and self._pid == os.getpid():
                self._work = None
                self._stack.close()

"""Containment goes first also within a process, whose threads share one processor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LONGEST = 1.0
"""Seconds for which the rest waits: it goes on, slowly, however much there is to contain."""


class Precedence:
    """Lets what is not containment wait while something is being contained."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._containing = 0

    @contextmanager
    def containing(self) -> Iterator[None]:
        """Nobody is waited for in here."""
        with self._change:
            self._containing += 1
        try:
            yield
        finally:
            with self._change:
                self._containing -= 1
                self._change.notify_all()

    def give_way(self) -> None:
        """Wait until nothing is being contained, for a moment at most."""
        with self._change:
            self._change.wait_for(lambda: not self._containing, LONGEST)

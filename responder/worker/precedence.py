"""Containment goes first also within a process, whose threads share one processor."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from stanch.responder.domain.ports import Errand

LONGEST = 1.0
"""Seconds for which the rest waits: it goes on, slowly, however much there is to contain."""


class Precedence:
    """Lets what is not containment wait while something is being contained."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._containing = 0

    @contextmanager
    def of(self, lane: Errand | None) -> Iterator[None]:
        """Work in this lane; without one it is a person's command, and waits for nobody."""
        if lane is Errand.ADVANCE:
            self.give_way()
        with self.containing() if lane is Errand.CONTAIN else nullcontext():
            yield

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

    @property
    def wanted(self) -> bool:
        """Whether something is being contained now."""
        return self._containing > 0

    def give_way(self) -> None:
        """Wait until nothing is being contained, for a moment at most."""
        with self._change:
            self._change.wait_for(lambda: not self._containing, LONGEST)

"""Tells an application that a secret which it was given has a new version."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from stanch.responder.lifecycle.model.answer import Described, Look, Stage
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.reference import Reference

log = logging.getLogger("stanch.secrets")

EVERY = {
    Environment.DEVELOPMENT: timedelta(seconds=5),
    Environment.TEST: timedelta(seconds=5),
    Environment.STAGING: timedelta(seconds=60),
    Environment.PRODUCTION: timedelta(seconds=60),
}
_JITTER = 0.2  # a fleet that was started together must not ask together


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """A secret that has another version now. Ask for it again to get the value."""

    reference: Reference
    before: str
    now: str


Callback = Callable[[Rotated], None]


class Watch:
    """Remembers which version of each secret was given, and looks whether it still is current."""

    def __init__(self, describe: Callable[[Reference, str], Look], *, every: timedelta) -> None:
        self._describe = describe
        self._every = every.total_seconds()
        self._given: dict[Reference, tuple[str, str]] = {}  # store, version
        self._callbacks: list[Callback] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None

    def given(self, reference: Reference, source: str, version: str) -> None:
        """This version was handed out; an older version that was asked for does not rotate."""
        if not reference.version:
            with self._lock:
                self._given[reference] = (source, version)

    def add(self, callback: Callback) -> Callable[[], None]:
        """Call back at each rotation from now on; what is returned takes that back."""
        with self._lock:
            self._callbacks.append(callback)
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._run, name="stanch-rotation-watch", daemon=True
                )
                self._thread.start()

        def remove() -> None:
            with self._lock:
                if callback in self._callbacks:
                    self._callbacks.remove(callback)

        return remove

    def look(self) -> tuple[Rotated, ...]:
        """One look at every secret that was given; a store that does not answer changes nothing."""
        with self._lock:
            given = dict(self._given)
        found = []
        for reference, (source, version) in given.items():
            look = self._describe(reference, source)
            now = look.at(Stage.CURRENT) if isinstance(look, Described) else None
            if now is None or now == version:
                continue
            with self._lock:
                if self._given.get(reference) != (source, version):
                    continue  # it was asked for meanwhile
                self._given[reference] = (source, now)
            found.append(Rotated(reference=reference, before=version, now=now))
        for each in found:
            self._tell(each)
        return tuple(found)

    def wake(self) -> None:
        """Look now, in the thread of ours: somebody says that there is something new."""
        self._wake.set()

    def close(self) -> None:
        """Stop looking."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _tell(self, rotated: Rotated) -> None:
        with self._lock:
            callbacks = tuple(self._callbacks)
        for callback in callbacks:
            try:
                callback(rotated)
            except Exception as error:  # noqa: BLE001  # the application's; the others still count
                # Its kind alone: the text of an exception may quote a value.
                kind = type(error).__name__
                log.warning("a callback for %s raised %s", rotated.reference, kind)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._every * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311  # spreads load
            self._wake.clear()
            if self._stop.is_set():
                return
            try:
                self.look()
            except Exception as error:  # noqa: BLE001  # the next look may succeed
                log.warning("looking for rotations failed: %s", type(error).__name__)

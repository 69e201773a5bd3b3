"""Read values, in this process and in what processes share: the port ``Keep`` of resolution.

Three states are told apart: a store that does not answer (the last good value is given, for a
time, and says so), one that says no, and a secret that is gone or revoked (both refuse at once).
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from stanch.responder.lifecycle.cache import naming
from stanch.responder.lifecycle.cache.ask import Asking, Wanted
from stanch.responder.lifecycle.cache.entry import Answer, Bad, Good, Held
from stanch.responder.lifecycle.cache.flight import Background, Flight
from stanch.responder.lifecycle.cache.shared import Shared
from stanch.responder.lifecycle.cache.term import UNHEARD, Terms
from stanch.responder.lifecycle.model.reference import Reference
from stanch.responder.lifecycle.resolution.resolver import Fetch, Resolved

_MOST = 4096  # answers in one process
_TRIES = 5
Listener = Callable[[frozenset[str]], None]


class Cache:
    """The answers of one place. Threads may share it."""

    def __init__(
        self,
        shared: Shared,
        asking: Asking,
        *,
        terms: Terms,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._shared = shared
        self._asking = asking
        self._terms = terms
        self._monotonic = monotonic
        self._held: dict[Reference, Held] = {}
        self._flights: dict[Reference, Flight] = {}
        self._lock = threading.Lock()
        self._background = Background()
        self._listeners: list[Listener] = []
        shared.listen(self._forgotten, self._audit)

    def get(self, key: Reference, fetch: Fetch) -> tuple[Resolved, ...]:
        """What the store said, not longer ago than is good; else ``fetch`` asks it.

        Raises what ``fetch`` raises, also later, for as long as a refusal is kept.
        """
        held = self._held.get(key)
        if held is None:
            return self._given(self._join(key, fetch))
        now = self._monotonic()
        if now >= self._fresh_until(held, now):
            return self._late(key, held, now, fetch)
        answer = held.answer
        if isinstance(answer, Good):
            return answer.given
        raise answer.error(self._asking.when(held, now))

    def forget(self, reference: Reference) -> None:
        """Ask the store the next time, in this process."""
        self._forgotten(frozenset((reference.path, naming.tool_of(reference))))

    def on_forgotten(self, listener: Listener) -> None:
        """Call back, with the paths, when secrets are forgotten."""
        self._listeners.append(listener)

    def close(self) -> None:
        """Stop listening, and forget everything."""
        self._background.close()
        self._shared.close()
        with self._lock:
            self._held.clear()

    def _fresh_until(self, held: Held, now: float) -> float:
        touch = self._shared.in_touch_until
        if now < touch:
            return held.fresh_until
        return min(held.fresh_until, max(held.since, touch) + UNHEARD)

    def _late(self, key: Reference, held: Held, now: float, fetch: Fetch) -> tuple[Resolved, ...]:
        """Not as good as new: given all the same while it is asked for anew, if it may be."""
        if isinstance(held.answer, Bad) or now >= held.ends_at:
            return self._given(self._join(key, fetch))
        if held.outage is None:
            waits_from = held.waits_from
            if now >= self._shared.in_touch_until:
                waits_from = min(waits_from, self._fresh_until(held, now) + UNHEARD)
            if now >= waits_from:
                return self._given(self._join(key, fetch))
        if held.outage is None or now >= held.outage.retry_at:
            self._background.soon(key, lambda: self._join(key, fetch))
        return held.answer.given

    def _join(self, key: Reference, fetch: Fetch) -> Answer:
        """One asks, all others wait for it."""
        while True:
            with self._lock:
                flight = self._flights.get(key)
                if ours := flight is None:
                    flight = self._flights[key] = Flight()
            assert flight is not None  # noqa: S101  # for the type checker
            if ours:
                try:
                    return flight.land(lambda flight: self._lead(key, fetch, flight))
                finally:
                    with self._lock:
                        del self._flights[key]
            answer = flight.wait()
            if answer is not None:
                return answer

    def _lead(self, key: Reference, fetch: Fetch, flight: Flight) -> Answer:
        """Ask; an answer that was overtaken by an invalidation is asked for again."""
        for _ in range(_TRIES):
            with self._lock:
                flight.void, flight.generation = False, None
                before = self._held.get(key)
            wanted = Wanted(key=key, fetch=fetch, flight=flight, before=before)
            held, stands = self._asking.answer(wanted)
            with self._lock:
                if not stands or flight.void:
                    continue
                self._held.pop(key, None)  # the newest stand last
                self._held[key] = held
                if len(self._held) > _MOST:
                    del self._held[next(iter(self._held))]
            break
        return held.answer  # overtaken each time, it is given, and not kept

    def _given(self, answer: Answer) -> tuple[Resolved, ...]:
        if isinstance(answer, Good):
            return answer.given
        raise answer.error()

    def _forgotten(self, paths: frozenset[str]) -> None:
        with self._lock:
            for key in [each for each in self._held if each.path in paths]:
                del self._held[key]
            for key, flight in self._flights.items():
                flight.void = flight.void or key.path in paths
        for listener in self._listeners:
            listener(paths)

    def _audit(self) -> None:
        """Forget what was read under a generation that is over."""
        with self._lock:
            ours = {(key.path, held.generation) for key, held in self._held.items()}
            ours |= {
                (key.path, each.generation)
                for key, each in self._flights.items()
                if each.generation is not None
            }
        now = self._shared.generations({path for path, _ in ours})
        over = frozenset(path for path, token in ours if now.get(path) != token)
        if over:
            self._forgotten(over)

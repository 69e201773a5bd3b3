"""The port to what processes share: generations, sealed answers, and who asks a store just now."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

Forgotten = Callable[[frozenset[str]], None]
"""Told which paths count no more."""
Audit = Callable[[], None]
"""Compares what is held with the generations that there are."""


class SharedAway(Exception):  # noqa: N818  # what happened
    """It did not answer: the process goes on by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One kept answer: a secret's path, and what tells its readers' answers apart."""

    path: str
    field: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Began:
    """What was there when a read began. ``revoked``: why nobody is given it."""

    generation: str = ""
    sealed: bytes | None = None
    revoked: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """Who asks the store: we, somebody else, or nobody, since it does not answer.

    ``news``: somebody has an answer meanwhile. ``count`` calls in a row were not answered, since
    ``since``; ``retry_in`` seconds are to wait.
    """

    ours: bool
    news: bool = False
    outage: bool = False
    count: int = 0
    since: float = 0.0
    retry_in: float = 0.0


class Shared(Protocol):
    """Every call raises SharedAway when there is no answer."""

    @property
    def in_touch_until(self) -> float:
        """Until then (monotonic) no invalidation can have been missed."""

    def begin(self, slot: Slot) -> Began:
        """What is kept, and the generation under which a new answer would be."""

    def put(self, slot: Slot, generation: str, sealed: bytes | None, *, lasts: float) -> bool:
        """Keep an answer, unless the generation is another by now; ends our lease."""

    def lease(self, slot: Slot, began: Began) -> Lease:
        """Ask to be who asks the store, if nobody has kept an answer since ``began``."""

    def release(self, slot: Slot, generation: str) -> None:
        """We do not ask it any more."""

    def note_outage(self, slot: Slot, generation: str, lease: Lease, *, retry_in: float) -> None:
        """Tell the others that it did not answer us."""

    def generations(self, paths: Iterable[str]) -> Mapping[str, str]:
        """As they are now; a path without one is left out."""

    def agree(self, name: str, offered: bytes) -> bytes:
        """A wrapped key that all use: the offered one if there was none."""

    def listen(self, forgotten: Forgotten, audit: Audit) -> None:
        """Call back from now on, from a thread of its own."""

    def close(self) -> None:
        """Stop listening."""


class Alone:
    """A process by itself: it shares nothing, and misses nothing."""

    in_touch_until = math.inf

    def begin(self, slot: Slot) -> Began:
        """Nothing is kept elsewhere."""
        del slot
        return Began()

    def put(self, slot: Slot, generation: str, sealed: bytes | None, *, lasts: float) -> bool:
        """Only the process itself keeps it."""
        del slot, generation, sealed, lasts
        return True

    def lease(self, slot: Slot, began: Began) -> Lease:
        """Nobody else asks."""
        del slot, began
        return Lease(ours=True)

    def release(self, slot: Slot, generation: str) -> None:
        """Nobody waits."""
        del slot, generation

    def note_outage(self, slot: Slot, generation: str, lease: Lease, *, retry_in: float) -> None:
        """Nobody listens."""
        del slot, generation, lease, retry_in

    def generations(self, paths: Iterable[str]) -> Mapping[str, str]:
        """There is one."""
        return dict.fromkeys(paths, "")

    def agree(self, name: str, offered: bytes) -> bytes:
        """Nothing is sealed."""
        del name
        return offered

    def listen(self, forgotten: Forgotten, audit: Audit) -> None:
        """Nobody speaks."""
        del forgotten, audit

    def close(self) -> None:
        """Nothing is open."""

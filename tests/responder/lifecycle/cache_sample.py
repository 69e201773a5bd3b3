"""A store that answers as told, a clock that is moved by hand, and a cache over them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from stanch.responder.lifecycle.cache.ask import Clock
from stanch.responder.lifecycle.cache.cache import Cache
from stanch.responder.lifecycle.cache.opening import cache_over
from stanch.responder.lifecycle.cache.shared import Alone, Shared
from stanch.responder.lifecycle.cache.term import Terms
from stanch.responder.lifecycle.model.error import SecretError
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.resolution.resolver import Resolved
from stanch.responder.vault.master import MasterKey
from stanch.scanner.model.secret import SecretValue

KEY = parse("secret://shop/prod/stripe/api-key")
TERMS = Terms(keep=300.0, outage=3600.0, chance=lambda: 0.0)


class Hands:
    """A clock; waiting for it moves it."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def clock(self) -> Clock:
        def sleep(seconds: float) -> None:
            self.now += seconds

        return Clock(monotonic=lambda: self.now, wall=lambda: self.now, sleep=sleep)


@dataclass(slots=True)
class Source:
    """The store. ``gate`` is open; closed, calls wait in it."""

    version: int = 1
    error: Callable[[], SecretError] | None = None
    calls: int = 0
    gate: threading.Event = field(default_factory=threading.Event)
    entered: threading.Event = field(default_factory=threading.Event)
    key: Reference = KEY

    def __post_init__(self) -> None:
        self.gate.set()

    def fetch(self) -> tuple[Resolved, ...]:
        self.calls += 1
        version = self.version
        self.entered.set()
        assert self.gate.wait(10)
        if self.error is not None:
            raise self.error()
        return (
            Resolved(
                reference=self.key,
                value=SecretValue(f"planted value {version}".encode()),
                version=str(version),
                source="secrets-manager",
                metadata=None,
            ),
        )


@dataclass(slots=True)
class Reader:
    """Reads one secret through a cache."""

    cache: Cache
    source: Source

    def given(self) -> Resolved:
        return self.cache.get(self.source.key, self.source.fetch)[0]

    def version(self) -> str:
        return self.given().version


def reader(
    shared: Shared | None = None,
    *,
    source: Source | None = None,
    hands: Hands | None = None,
    master: MasterKey | None = None,
    terms: Terms = TERMS,
) -> Reader:
    clock = hands.clock() if hands is not None else Clock()
    made = cache_over(shared or Alone(), terms, master=master, namespace="n", clock=clock)
    return Reader(made, source or Source())

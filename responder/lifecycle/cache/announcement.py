"""Tells every process to forget a secret: what rotation and revocation call."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Protocol, Self

import redis

from stanch.responder.lifecycle.cache import naming
from stanch.responder.lifecycle.model.reference import Reference

WITHIN = timedelta(seconds=1)
"""By then a process that reaches the Redis has forgotten, whether it heard the message or not."""
OUT_OF_TOUCH = timedelta(seconds=11)
"""As above, for a process that does not reach it: it asks the store again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Announced:
    """Told. ``listeners`` heard it at once; who reaches the Redis knows it after ``within``."""

    listeners: int
    within: timedelta = WITHIN


@dataclass(frozen=True, slots=True, kw_only=True)
class NotAnnounced:
    """Nobody was told. Processes that keep the old value give it for ``within`` yet."""

    why: str
    within: timedelta


Told = Announced | NotAnnounced


class Announcer(Protocol):
    """Says that what is kept of a secret counts no more. Answers, and never raises for the world.

    Call it after the store has done it: who asks then must be given the new.
    """

    def rotated(self, reference: Reference) -> Told:
        """Another version is current, or its metadata changed: ask the store again."""

    def revoked(self, reference: Reference, *, why: str) -> Told:
        """Nobody is given any version of it from now on, whatever the store says."""

    def restored(self, reference: Reference) -> Told:
        """It was revoked, and is given again."""

    def close(self) -> None:
        """Close the connection."""


class Unshared:
    """Where each process keeps values by itself: nobody can be told."""

    def __init__(self, *, within: timedelta) -> None:
        self._told = NotAnnounced(
            why="there is no shared cache: [cache] url names no Redis", within=within
        )

    def rotated(self, reference: Reference) -> Told:
        """Nobody hears it."""
        del reference
        return self._told

    def revoked(self, reference: Reference, *, why: str) -> Told:
        """Nobody hears it."""
        del reference, why
        return self._told

    def restored(self, reference: Reference) -> Told:
        """Nobody hears it."""
        del reference
        return self._told

    def close(self) -> None:
        """Nothing is open."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


class RedisAnnouncer:
    """The port over Redis: new generations, and a message to whoever listens, in one transaction.

    A generation is a random token, not a number: one that Redis loses never comes back, so that a
    write which began before cannot pass for a new one.
    """

    def __init__(self, client: redis.Redis, *, within: timedelta) -> None:
        self._client = client
        self._within = within

    def rotated(self, reference: Reference) -> Told:
        """As the port says. A secret that is revoked stays so."""
        return self._tell(reference, lambda _: None)

    def revoked(self, reference: Reference, *, why: str) -> Told:
        """As the port says. The mark stays until ``restored``."""
        mark = json.dumps({"at": datetime.now(UTC).isoformat(), "why": why[:500]})
        return self._tell(reference, lambda pipe: pipe.set(naming.revoked(reference.path), mark))

    def restored(self, reference: Reference) -> Told:
        """As the port says."""
        return self._tell(reference, lambda pipe: pipe.delete(naming.revoked(reference.path)))

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _tell(self, reference: Reference, mark: Marking) -> Told:
        token = secrets.token_hex(16)
        paths = (reference.path, naming.tool_of(reference))
        try:
            with self._client.pipeline(transaction=True) as pipe:
                mark(pipe)
                for path in paths:
                    pipe.set(naming.generation(path), token, px=naming.LASTS)
                    pipe.unlink(naming.values(path))
                pipe.set(naming.EPOCH, token)
                pipe.publish(naming.CHANNEL, json.dumps({"paths": paths, "epoch": token}))
                heard = pipe.execute()[-1]
        except redis.RedisError as error:
            kind = type(error).__name__
            return NotAnnounced(why=f"the Redis of [cache] says {kind}", within=self._within)
        return Announced(listeners=heard)


class Marking(Protocol):
    """What else is written with it."""

    def __call__(self, pipe: redis.client.Pipeline, /) -> object:
        """Queue it."""

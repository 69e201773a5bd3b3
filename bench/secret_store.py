"""A store for the measurements: it answers after a set time, Stanch and its peer alike."""

from __future__ import annotations

import importlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from own import CACHE  # type: ignore[import-not-found]  # scripts of one folder

from stanch.responder.lifecycle.backends.read_only import ReadOnly
from stanch.responder.lifecycle.cache.cache import Cache
from stanch.responder.lifecycle.cache.counted import CountedLog
from stanch.responder.lifecycle.model.access import Asker
from stanch.responder.lifecycle.model.answer import (
    Denied,
    Described,
    Listed,
    Look,
    Present,
    Read,
    Unreachable,
)
from stanch.responder.lifecycle.model.backend import Ability
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.metadata import KEYS
from stanch.responder.lifecycle.model.reference import Reference, parse
from stanch.responder.lifecycle.model.segregation import Place
from stanch.responder.lifecycle.resolution.precedence import Course
from stanch.responder.lifecycle.resolution.resolver import Resolver
from stanch.responder.lifecycle.sdk.access_file import FileAccessLog
from stanch.scanner.model.secret import SecretValue

KEY = parse("secret://shop/prod/stripe/api-key")
ASKER = Asker(actor="bench", where="here")
TAGS = {name: key.example for name, key in KEYS.items()} | {"service": "shop"}


@dataclass(slots=True)
class World:
    """What the store says, and how long it takes. ``spent`` and ``calls`` are what it was asked."""

    delay: float = 0.0
    away: bool = False
    denies: bool = False
    version: Callable[[], int] = lambda: 1
    calls: int = 0
    spent: float = 0.0

    def call(self) -> None:
        """Take the time of one call."""
        began = time.perf_counter()
        self.calls += 1
        if self.delay:
            time.sleep(self.delay)
        self.spent += time.perf_counter() - began


class Backend(ReadOnly):
    """As Stanch sees it: the port."""

    name = "secrets-manager"
    abilities = frozenset({Ability.ANNOTATE})

    def __init__(self, world: World) -> None:
        self.world = world

    def _said(self) -> Denied | Unreachable | None:
        self.world.call()
        if self.world.away:
            return Unreachable(why="no answer")
        return Denied(why="not for you", remedy="ask") if self.world.denies else None

    def read(self, reference: Reference) -> Read:
        """The value."""
        del reference
        said = self._said()
        version = str(self.world.version())
        return said or Present(value=SecretValue(f"value {version}".encode()), version=version)

    def read_many(self, references: Sequence[Reference]) -> Mapping[Reference, Read]:
        """Each."""
        return {each: self.read(each) for each in references}

    def describe(self, reference: Reference) -> Look:
        """Complete metadata."""
        return self._said() or Described(place=reference.path, tags=TAGS)

    def entries(self, *, under: str = "") -> Iterator[Listed | Denied | Unreachable]:
        """It has no list; whoever asks is told so."""
        yield Unreachable(why=f"this store does not list what is under {under!r}")


class Client:
    """As the peer sees it: two calls of boto3's client."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.meta = self

    def _say(self) -> None:
        self.world.call()
        if self.world.away or self.world.denies:
            raise RuntimeError("AccessDenied" if self.world.denies else "no answer")

    def describe_secret(self, **_: Any) -> Any:
        """DescribeSecret."""
        self._say()
        return {"VersionIdsToStages": {str(self.world.version()): ["AWSCURRENT"]}}

    def get_secret_value(self, **_: Any) -> Any:
        """GetSecretValue."""
        self._say()
        return {"SecretString": f"value {self.world.version()}"}


def resolver(world: World, cache: Cache, folder: Path) -> Resolver:
    """A place in production, with its record on the disk."""
    log = CountedLog(FileAccessLog(folder / "access.jsonl"), every=300.0, monotonic=time.monotonic)
    course = Course(environment=Environment.PRODUCTION, sources=(Backend(world),))
    return Resolver(
        place=Place(environment=Environment.PRODUCTION, service="shop"),
        course=lambda _: course,
        log=log,
        clock=lambda: datetime.now(UTC),
        keep=cache,
    )


def peer(world: World, **options: Any) -> Callable[[str], str] | None:
    """Reads through ``aws-secretsmanager-caching``; None when it cannot be installed."""
    folder = CACHE / "aws-secretsmanager-caching"
    if not folder.exists():
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target"]
        argv = [*pip, str(folder), "aws-secretsmanager-caching"]
        if subprocess.run(argv, check=False, capture_output=True).returncode:
            return None
    if str(folder) not in sys.path:
        sys.path.append(str(folder))
    found: Any = importlib.import_module("aws_secretsmanager_caching")
    cache = found.SecretCache(config=found.SecretCacheConfig(**options), client=Client(world))
    read: Callable[[str], str] = cache.get_secret_string
    return read

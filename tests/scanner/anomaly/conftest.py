"""Made-up trees: words written by people, and tokens drawn by machines, both on the spot."""

from __future__ import annotations

import random
import string
from collections.abc import Callable

import pytest

from stanch.scanner.api import FingerprintKey, Fragment, InWorktree, SecretValue

_WORDS = [
    "account",
    "balance",
    "capture",
    "client",
    "connect",
    "current",
    "default",
    "device",
    "element",
    "engine",
    "example",
    "factory",
    "finish",
    "frame",
    "handle",
    "history",
    "include",
    "insert",
    "layout",
    "level",
    "local",
    "market",
    "message",
    "module",
    "normal",
    "number",
    "offset",
    "output",
    "parse",
    "pattern",
    "place",
    "prefix",
    "profile",
    "public",
    "random",
    "record",
    "reject",
    "remote",
    "report",
    "reset",
    "result",
    "reverse",
    "schema",
    "section",
    "sender",
    "session",
    "simple",
    "source",
    "stream",
    "struct",
    "submit",
    "switch",
    "system",
    "template",
    "ticket",
    "transfer",
    "upload",
    "vector",
    "version",
    "window",
    "writer",
]
_LETTERS = {
    "base62": string.ascii_letters + string.digits,
    "base64": string.ascii_letters + string.digits + "+/",
    "base36": string.ascii_lowercase + string.digits,
    "hex": string.digits + "abcdef",
}


def drawn(seed: int, letters: str = "base62", size: int = 40) -> str:
    """A random string that a machine could have issued, the same for the same seed."""
    chance = random.Random(f"{seed}/{letters}/{size}")  # noqa: S311  # nothing is protected by it
    return "".join(chance.choice(_LETTERS[letters]) for _ in range(size))


def prose(seed: int, lines: int = 60) -> str:
    """Code as people write it: calls and assignments with names of several words."""
    chance = random.Random(seed)  # noqa: S311  # as above

    def name() -> str:
        return "_".join(chance.choice(_WORDS) for _ in range(chance.randrange(2, 5)))

    return "".join(f"    {name()} = {name()}({name()})\n" for _ in range(lines))


def piece(path: str, text: str) -> Fragment:
    """A file as a source would give it."""
    return Fragment(data=text.encode(), provenance=InWorktree(path=path))


@pytest.fixture
def key() -> FingerprintKey:
    return FingerprintKey(SecretValue(bytes(32)))


@pytest.fixture
def draw() -> Callable[..., str]:
    return drawn


@pytest.fixture
def code() -> Callable[..., str]:
    return prose


@pytest.fixture
def fragment() -> Callable[[str, str], Fragment]:
    return piece

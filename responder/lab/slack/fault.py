"""What can be made to go wrong with the next call of a method."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimited:
    """Answer 429 with ``Retry-After: after`` seconds; nothing happens in the workspace."""

    after: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Answer ``ok: false`` with this error; nothing happens in the workspace."""

    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LostAnswer:
    """Do what was asked, then drop the connection without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unreachable:
    """Drop the connection before anything happens."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Answer 503 with a page that is not JSON, as a proxy in between would."""


Fault = RateLimited | Refused | LostAnswer | Unreachable | Broken

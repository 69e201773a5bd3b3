"""The ``[cache]`` table of ``stanch.toml``: where read values are kept, and for how long."""

from __future__ import annotations

from typing import Annotated

import msgspec

from stanch.responder.domain.error import ConfigError
from stanch.responder.providers.setting import Section

_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_REDIS = ("redis://", "rediss://", "unix://")


class CacheSection(Section, frozen=True):
    """``url``: ``redis://…``, or ``memory://`` (each process by itself); none: the broker's.

    ``key`` seals values in Redis: whoever holds it can open all that is kept under it.
    ``most_seconds`` shortens what the environment allows (0: nothing is kept).
    ``outage_seconds``: for how long the last good value is given while a store does not answer.
    """

    url: str = ""
    password: str = ""
    key: str = ""
    most_seconds: _Seconds = 300.0
    outage_seconds: _Seconds = 3600.0


def is_shared(url: str) -> bool:
    """Whether this is a Redis. ConfigError for what is neither that nor memory."""
    if url.startswith(_REDIS):
        return True
    if url.startswith("memory:"):
        return False
    scheme = url.partition(":")[0]  # not all of it: it may hold a password
    raise ConfigError(
        f"[cache] url: a cache of the kind {scheme!r} is not known",
        remedy="write redis://HOST:6379/1 or memory://",
    )

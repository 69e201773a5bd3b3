"""The cache and its announcer, joined from the configuration."""

from __future__ import annotations

from datetime import timedelta

import redis

from stanch.responder.lifecycle.cache.announcement import RedisAnnouncer, Unshared
from stanch.responder.lifecycle.cache.setting import CacheSection, is_shared

PATIENCE = 0.5  # seconds for an answer of the Redis; without it we go on without it


def open_announcer(section: CacheSection, *, url: str) -> RedisAnnouncer | Unshared:
    """What rotation and revocation call. ``url`` is the cache's with its password."""
    # What a process keeps is given for that long at most, and as long again while it asks anew.
    within = 2 * timedelta(seconds=section.most_seconds)
    if not is_shared(url):
        return Unshared(within=within)
    return RedisAnnouncer(connect(url), within=within)


def connect(url: str) -> redis.Redis:
    """A client that does not wait long; nothing is asked yet."""
    return redis.Redis.from_url(
        url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=None
    )

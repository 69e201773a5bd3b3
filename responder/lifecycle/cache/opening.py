"""The cache and its announcer, joined from the configuration."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from datetime import timedelta

import redis

from stanch.responder.domain.json import canonical
from stanch.responder.lifecycle.cache.announcement import RedisAnnouncer, Unshared
from stanch.responder.lifecycle.cache.ask import Asking, Clock
from stanch.responder.lifecycle.cache.cache import Cache
from stanch.responder.lifecycle.cache.redis_shared import RedisShared
from stanch.responder.lifecycle.cache.seal import Sealer
from stanch.responder.lifecycle.cache.setting import CacheSection, is_shared
from stanch.responder.lifecycle.cache.shared import Alone, Shared
from stanch.responder.lifecycle.cache.term import Terms, terms
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.vault.master import MasterKey, parse_master_key

PATIENCE = 0.5  # seconds for an answer of the Redis; without it we go on without it
_NAMESPACE = 16


def open_announcer(section: CacheSection, *, url: str) -> RedisAnnouncer | Unshared:
    """What rotation and revocation call. ``url`` is the cache's with its password."""
    # What a process keeps is given for that long at most, and as long again while it asks anew.
    within = 2 * timedelta(seconds=section.most_seconds)
    if not is_shared(url):
        return Unshared(within=within)
    return RedisAnnouncer(connect(url), within=within)


def open_cache(
    section: CacheSection, environment: Environment, *, url: str, key: str, asked: Mapping[str, str]
) -> Cache | None:
    """The cache of one place; None where nothing is kept.

    ``key`` is the master key's reference. ``asked`` says everything that an answer depends on
    (stores, accounts, place): only places that agree in it, and in the key, share answers.
    """
    found = terms(environment, section, random.random)  # spreads load, protects nothing
    if not found.kept:
        return None
    if not is_shared(url):
        return cache_over(Alone(), found)
    shared = RedisShared(connect(url))
    master = parse_master_key(key)
    return cache_over(shared, found, master=master, namespace=_namespace(master, asked))


def cache_over(
    shared: Shared,
    found: Terms,
    *,
    master: MasterKey | None = None,
    namespace: str = "",
    clock: Clock | None = None,
) -> Cache:
    """The cache over what processes share; nothing is kept there without a master key."""
    clock = clock or Clock()
    sealer = None
    if master is not None:
        sealer = Sealer(
            master,
            namespace,
            agree=lambda offered: shared.agree(namespace, offered),
            monotonic=clock.monotonic,
        )
    asking = Asking(shared, sealer, namespace=namespace, terms=found, clock=clock)
    return Cache(shared, asking, terms=found, monotonic=clock.monotonic)


def connect(url: str) -> redis.Redis:
    """A client that does not wait long; nothing is asked yet."""
    return redis.Redis.from_url(
        url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=None
    )


def _namespace(master: MasterKey, asked: Mapping[str, str]) -> str:
    told = canonical({"key": master.name, **asked})
    return hashlib.sha256(told).hexdigest()[:_NAMESPACE]

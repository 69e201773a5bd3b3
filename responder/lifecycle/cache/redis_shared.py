"""The port over Redis: each act is one script, so that no other comes between its halves."""

from __future__ import annotations

import json
import logging
import secrets
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import redis

from stanch.responder.lifecycle.cache import naming
from stanch.responder.lifecycle.cache.shared import (
    Audit,
    Began,
    Forgotten,
    Lease,
    SharedAway,
    Slot,
)
from stanch.responder.lifecycle.cache.thread import start

log = logging.getLogger("stanch.secrets")

Result = TypeVar("Result")
_CHECK = 0.4  # seconds between two looks at the epoch
_TOUCH = 1.0  # seconds for which a look counts
_AWAY = 1.0  # seconds until one that did not answer is asked again
_LEASE = 10_000  # milliseconds: a store slower than that is asked by another process too
_KEY_LASTS = 24 * 3600 * 1000  # milliseconds of a data key

_BEGIN = """
local generation = redis.call('GET', KEYS[1])
if generation then
  redis.call('PEXPIRE', KEYS[1], ARGV[3])
else
  generation = ARGV[1]
  redis.call('SET', KEYS[1], generation, 'PX', ARGV[3])
end
return {generation, redis.call('HGET', KEYS[2], ARGV[2]), redis.call('GET', KEYS[3])}
"""
_PUT = """
redis.call('DEL', KEYS[3])
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if ARGV[3] ~= '' then
  redis.call('HSET', KEYS[2], ARGV[2], ARGV[3])
  if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then
    redis.call('PEXPIRE', KEYS[2], ARGV[4])
  end
end
return 1
"""
_NOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
"""
_ASK = (
    _NOW
    + """
if (redis.call('HGET', KEYS[2], ARGV[2]) or '') ~= ARGV[3] then return {'look', 0, 0, 0} end
local count, since = '0', '0'
local held = redis.call('GET', KEYS[1])
if held then
  local kind, till
  kind, till, count, since = string.match(held, '^(%a+) (%d+) (%d+) (%d+)$')
  if tonumber(till) > now then return {kind, count, since, tonumber(till) - now} end
end
local till = string.format('%.0f', now + ARGV[1])
redis.call('SET', KEYS[1], 'asking ' .. till .. ' ' .. count .. ' ' .. since, 'PX', 10 * ARGV[1])
return {'ours', count, since, 0}
"""
)
_OUTAGE = (
    _NOW
    + """
local till = string.format('%.0f', now + ARGV[1])
redis.call('SET', KEYS[1], 'outage ' .. till .. ' ' .. ARGV[2] .. ' ' .. ARGV[3], 'PX', ARGV[4])
"""
)


class RedisShared:
    """See :class:`~stanch.responder.lifecycle.cache.shared.Shared`."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._scripts: dict[str, Any] = {
            text: client.register_script(text) for text in (_BEGIN, _PUT, _ASK, _OUTAGE)
        }
        self.in_touch_until = 0.0
        self._away_until = 0.0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def begin(self, slot: Slot) -> Began:
        """One round trip."""
        keys = [naming.generation(slot.path), naming.values(slot.path), naming.revoked(slot.path)]
        arguments = [secrets.token_hex(16), slot.field, naming.LASTS]
        generation, sealed, revoked = self._call(_BEGIN, keys, arguments)
        return Began(
            generation=generation.decode(),
            sealed=sealed,
            revoked=None if revoked is None else revoked.decode("utf-8", "replace"),
        )

    def put(self, slot: Slot, generation: str, sealed: bytes | None, *, lasts: float) -> bool:
        """Compared and written in one act."""
        keys = [naming.generation(slot.path), naming.values(slot.path), _lease(slot, generation)]
        arguments = [generation, slot.field, sealed or b"", max(1, int(lasts * 1000))]
        return bool(self._call(_PUT, keys, arguments))

    def lease(self, slot: Slot, began: Began) -> Lease:
        """Of a generation: who asks after a rotation does not wait for who asked before it."""
        keys = [_lease(slot, began.generation), naming.values(slot.path)]
        said = self._call(_ASK, keys, [_LEASE, slot.field, began.sealed or b""])
        kind, count, since, left = said
        return Lease(
            ours=kind == b"ours",
            news=kind == b"look",
            outage=kind == b"outage",
            count=int(count),
            since=int(since) / 1000,
            retry_in=int(left) / 1000,
        )

    def release(self, slot: Slot, generation: str) -> None:
        """Others need not wait until it ends."""
        self._ask(lambda: self._client.delete(_lease(slot, generation)))

    def note_outage(self, slot: Slot, generation: str, lease: Lease, *, retry_in: float) -> None:
        """Kept longer than it counts, so that who asks next knows how often it was in vain."""
        wait = max(1, int(retry_in * 1000))
        arguments = [wait, lease.count, int(lease.since * 1000), 4 * wait + _LEASE]
        self._call(_OUTAGE, [_lease(slot, generation)], arguments)

    def generations(self, paths: Iterable[str]) -> Mapping[str, str]:
        """MGET."""
        asked = list(paths)
        if not asked:
            return {}
        found: Any = self._ask(lambda: self._client.mget(map(naming.generation, asked)))
        pairs = zip(asked, found, strict=True)
        return {path: token.decode() for path, token in pairs if token is not None}

    def agree(self, name: str, offered: bytes) -> bytes:
        """SET NX; the key lives for a day, and then another takes its place."""
        key = naming.data_key(name)
        if self._ask(lambda: self._client.set(key, offered, nx=True, px=_KEY_LASTS)):
            return offered
        found: Any = self._ask(lambda: self._client.get(key))
        return found if found is not None else self.agree(name, offered)

    def listen(self, forgotten: Forgotten, audit: Audit) -> None:
        """Messages, and a look at the epoch in case one was lost."""
        self._thread = start("stanch-cache", lambda: self._listen(forgotten, audit))

    def close(self) -> None:
        """Stop listening; the thread ends, and closes the connections, when it next looks."""
        self._stop.set()
        if self._thread is None:
            self._client.close()

    def _listen(self, forgotten: Forgotten, audit: Audit) -> None:
        while not self._stop.is_set():
            try:
                with redis.client.PubSub(
                    self._client.connection_pool, ignore_subscribe_messages=True
                ) as heard:
                    heard.subscribe(naming.CHANNEL)
                    self._hear(heard, forgotten, audit)
            except (redis.RedisError, SharedAway, OSError) as error:
                log.debug("the Redis of the cache is out of touch: %s", type(error).__name__)
                self._stop.wait(_CHECK)
        self._client.close()

    def _hear(self, heard: Any, forgotten: Forgotten, audit: Audit) -> None:
        epoch: bytes | None = b"not looked at"
        due = 0.0
        while not self._stop.is_set():
            now = time.monotonic()
            if now >= due:
                found: Any = self._client.get(naming.EPOCH)
                if found != epoch:
                    audit()
                epoch, due = found, now + _CHECK
                self.in_touch_until = now + _TOUCH
            message = heard.get_message(timeout=max(0.0, due - time.monotonic()))
            if message is not None:
                # The epoch that it names is not noted: of two messages one may have been lost.
                forgotten(_paths(message["data"]))

    def _call(self, script: str, keys: list[str], arguments: list[Any]) -> Any:
        return self._ask(lambda: self._scripts[script](keys=keys, args=arguments))

    def _ask(self, call: Callable[[], Result]) -> Result:
        if time.monotonic() < self._away_until:
            raise SharedAway("the Redis did not answer just now")
        try:
            return call()
        except (redis.RedisError, OSError) as error:
            self._away_until = time.monotonic() + _AWAY
            log.warning("the Redis of the cache does not answer: %s", type(error).__name__)
            raise SharedAway("the Redis does not answer") from None


def _lease(slot: Slot, generation: str) -> str:
    return naming.lease(slot.path, f"{slot.field}:{generation[:8]}")


def _paths(data: bytes) -> frozenset[str]:
    try:
        return frozenset(map(str, json.loads(data)["paths"]))
    except (ValueError, KeyError, TypeError):
        return frozenset()

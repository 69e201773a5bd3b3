"""What rotation and revocation say, on a real Redis."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from stanch.responder.config import load
from stanch.responder.domain.error import ConfigError
from stanch.responder.lifecycle.cache import naming
from stanch.responder.lifecycle.cache.announcement import Announced, NotAnnounced, RedisAnnouncer
from stanch.responder.lifecycle.cache.opening import open_announcer
from stanch.responder.lifecycle.cache.setting import CacheSection
from stanch.responder.lifecycle.model.reference import parse
from tests.responder.broker import Broker

KEY = parse("secret://shop/prod/stripe/api-key")
WITHIN = timedelta(seconds=600)


def test_a_rotation_changes_generations_voids_values_and_is_heard(broker: Broker) -> None:
    with broker.client() as client, client.pubsub() as heard:
        heard.subscribe(naming.CHANNEL)
        assert heard.get_message(timeout=5)
        client.hset(naming.values(KEY.path), "field", b"sealed")
        announcer = RedisAnnouncer(broker.client(), within=WITHIN)
        assert isinstance(announcer.rotated(KEY), Announced)
        first = client.get(naming.generation(KEY.path))
        message = heard.get_message(timeout=5)
        assert message is not None
        said = json.loads(message["data"])
        assert said["paths"] == ["shop/prod/stripe/api-key", "shop/prod/stripe/*"]
        assert client.get(naming.EPOCH) == first == said["epoch"].encode()
        assert not client.exists(naming.values(KEY.path))
        announcer.rotated(KEY)
        assert client.get(naming.generation(KEY.path)) != first
        announcer.close()


def test_what_is_revoked_stays_so_through_a_rotation_until_it_is_restored(broker: Broker) -> None:
    with broker.client() as client, RedisAnnouncer(client, within=WITHIN) as announcer:
        announcer.revoked(KEY, why="leaked")
        announcer.rotated(KEY)
        assert json.loads(client.get(naming.revoked(KEY.path)) or "")["why"] == "leaked"
        announcer.restored(KEY)
        assert not client.exists(naming.revoked(KEY.path))


def test_without_a_redis_that_answers_nobody_was_told_and_that_is_said() -> None:
    section = CacheSection(most_seconds=60)
    for url, why in (("memory://", "names no Redis"), ("redis://127.0.0.1:1/0", "ConnectionError")):
        with open_announcer(section, url=url) as announcer:
            for told in (announcer.rotated(KEY), announcer.revoked(KEY, why="leaked")):
                assert isinstance(told, NotAnnounced)
                assert why in told.why
                assert told.within == timedelta(seconds=120)
    with pytest.raises(ConfigError, match="'http' is not known"):
        open_announcer(section, url="http://user:word@host")


def test_the_broker_s_redis_is_the_cache_unless_one_is_named() -> None:
    given = {"STANCH_HOME": "/nowhere", "STANCH_BROKER_URL": "redis://host:6379/0"}
    assert load(given).cache_url() == "redis://host:6379/0"
    assert load(given | {"STANCH_CACHE_URL": "memory://"}).cache_url() == "memory://"
    assert load({"STANCH_HOME": "/nowhere"}).cache_url() == "memory://"

"""What processes share through a real Redis: sealed values, one call for all, and forgetting."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
import redis

from stanch.responder.lifecycle.cache import naming
from stanch.responder.lifecycle.cache.announcement import Announced, RedisAnnouncer
from stanch.responder.lifecycle.cache.opening import connect, open_announcer
from stanch.responder.lifecycle.cache.redis_shared import RedisShared
from stanch.responder.lifecycle.cache.setting import CacheSection
from stanch.responder.lifecycle.cache.shared import Slot
from stanch.responder.lifecycle.model.error import (
    SecretDenied,
    SecretError,
    SecretRefused,
    SecretUnavailable,
)
from stanch.responder.lifecycle.model.metadata import KEYS, read
from stanch.responder.vault.master import LocalMasterKey
from tests.responder.broker import Broker
from tests.responder.lifecycle.cache_sample import KEY, TERMS, Hands, Reader, Source, reader

TERMS_WITHIN = timedelta(seconds=TERMS.keep)
Make = Callable[..., Reader]
PATIENCE = 10.0


def until(true: Callable[[], bool], *, within: float = PATIENCE) -> float:
    """Seconds until it is so."""
    began = time.monotonic()
    while not true():
        assert time.monotonic() - began < within, "never happened"
        time.sleep(0.005)
    return time.monotonic() - began


def url(broker: Broker) -> str:
    return broker.url.replace("://", f"://:{quote(broker.password)}@")


@pytest.fixture
def master(tmp_path: Path) -> LocalMasterKey:
    return LocalMasterKey(tmp_path / "cache.key")


@pytest.fixture
def make(broker: Broker, master: LocalMasterKey) -> Iterator[Make]:
    """Makes readers that are processes of their own, but for the process."""
    with ExitStack() as opened:

        def made(source: Source | None = None, hands: Hands | None = None) -> Reader:
            shared = RedisShared(connect(url(broker)))
            found = reader(shared, source=source, hands=hands, master=master)
            opened.callback(found.cache.close)
            until(lambda: shared.in_touch_until > 0)
            if hands is not None:
                shared.in_touch_until = hands.now + 1e9
            return found

        yield made


@pytest.fixture
def announcer(broker: Broker) -> Iterator[RedisAnnouncer]:
    with open_announcer(CacheSection(), url=url(broker)) as opened:
        assert isinstance(opened, RedisAnnouncer)
        yield opened


def denied() -> SecretError:
    return SecretDenied("no", remedy="ask")


def silent() -> SecretError:
    return SecretUnavailable("no answer", remedy="wait")


def test_what_one_process_read_another_need_not_ask_for(make: Make) -> None:
    one, other = make(), make(Source(version=9))
    found = one.given()
    again = other.given()
    assert (again.version, other.source.calls) == ("1", 0)
    assert (again.value, again.source) == (found.value, found.source)
    assert again.read_at is not None


def test_metadata_and_notes_are_kept_with_the_value(make: Make) -> None:
    tags = {name: key.example for name, key in KEYS.items()}
    whole = read(tags).metadata
    assert whole is not None
    one, other = make(), make()
    given = replace(one.source.fetch()[0], metadata=whole, notes=("deprecated",))
    one.cache.get(KEY, lambda: (given,))
    found = other.given()
    assert (found.metadata, found.notes) == (whole, ("deprecated",))


def test_nothing_of_a_value_is_in_the_redis_in_clear(make: Make, broker: Broker) -> None:
    one = make()
    value = one.given().value.reveal()
    refused = make(Source(error=denied, key=replace(KEY, tool="github")))
    with pytest.raises(SecretDenied):
        refused.version()
    with broker.client() as client:
        keys = list(client.scan_iter())
        whole = b"".join(client.dump(each) or b"" for each in keys)
        kept = b"".join(client.hgetall(naming.values(KEY.path)).values())
    assert len(kept) > len(value)  # it is there, sealed
    for place in (whole, kept, broker.files()):
        for piece in (value, value[:8], value[-8:], value.hex().encode()):
            assert piece not in place
        assert b"secrets-manager" not in place


def test_what_was_altered_or_moved_in_the_redis_is_not_used(make: Make, broker: Broker) -> None:
    one = make()
    one.version()
    elsewhere = replace(KEY, name="other")
    with broker.client() as client:
        kept: dict[bytes, bytes] = client.hgetall(naming.values(KEY.path))
        client.hset(naming.values(elsewhere.path), mapping=kept)
        for field, sealed in kept.items():
            client.hset(naming.values(KEY.path), field, sealed[:-1] + bytes([sealed[-1] ^ 1]))
    for key in (KEY, elsewhere):
        other = make(Source(version=2, key=key))
        assert (other.version(), other.source.calls) == ("2", 1)


def test_who_holds_another_key_shares_nothing(make: Make, broker: Broker, tmp_path: Path) -> None:
    make().version()
    shared = RedisShared(connect(url(broker)))
    other = reader(shared, source=Source(version=2), master=LocalMasterKey(tmp_path / "other.key"))
    assert (other.version(), other.source.calls) == ("2", 1)
    other.cache.close()


def test_a_rotation_is_seen_by_all_within_a_second(make: Make, announcer: RedisAnnouncer) -> None:
    source = Source()
    readers = [make(source) for _ in range(3)]
    assert {each.version() for each in readers} == {"1"}
    source.version = 2
    told = announcer.rotated(KEY)
    assert isinstance(told, Announced)
    assert told.listeners >= 3  # those of other tests listen a moment longer
    assert until(lambda: [each.version() for each in readers] == ["2"] * 3) < 1.0
    assert source.calls == 2


def test_a_revocation_refuses_everywhere_whatever_the_store_says(
    make: Make, announcer: RedisAnnouncer
) -> None:
    source = Source()
    warm, cold = make(source), make(source)
    warm.version()

    def refused(each: Reader) -> bool:
        try:
            each.version()
        except SecretRefused as error:
            return "it was revoked at " in str(error) and "leaked" in str(error)
        return False

    announcer.revoked(KEY, why="leaked")
    assert until(lambda: refused(warm)) < 1.0
    assert refused(cold)
    assert source.calls == 1  # it is not even asked
    announcer.rotated(KEY)
    until(lambda: refused(warm))
    source.version = 2
    announcer.restored(KEY)
    until(lambda: not refused(warm))
    assert warm.version() == "2"


def test_a_lost_message_is_made_up_for_within_a_second(make: Make, broker: Broker) -> None:
    one = make()
    one.version()
    one.source.version = 2
    with broker.client() as client:  # as an announcement, without the message
        client.set(naming.generation(KEY.path), "another")
        client.set(naming.EPOCH, "another")
    assert until(lambda: one.version() == "2") < 1.0


def test_a_late_write_does_not_outlive_an_invalidation(
    make: Make, announcer: RedisAnnouncer
) -> None:
    source = Source()
    one, other = make(source), make(source)
    source.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(one.version)
        assert source.entered.wait(10)
        source.version = 2
        announcer.rotated(KEY)
        source.gate.set()
        assert asked.result() == "2"
    assert (other.version(), source.calls) == ("2", 2)


def test_a_generation_that_the_redis_lost_never_comes_back(
    broker: Broker, announcer: RedisAnnouncer
) -> None:
    shared, slot = RedisShared(connect(url(broker))), Slot(path=KEY.path, field="f")
    before = shared.begin(slot).generation
    announcer.rotated(KEY)
    with broker.client() as client:
        client.flushall()
    after = shared.begin(slot).generation
    assert after != before
    assert not shared.put(slot, before, b"late", lasts=60)
    assert shared.put(slot, after, b"new", lasts=60)
    assert shared.begin(slot).sealed == b"new"
    shared.close()


def test_who_comes_just_after_an_answer_does_not_ask_for_another(broker: Broker) -> None:
    shared, slot = RedisShared(connect(url(broker))), Slot(path=KEY.path, field="f")
    began = shared.begin(slot)  # nothing is kept yet
    assert shared.lease(slot, began).ours
    assert not shared.lease(slot, began).ours  # somebody asks
    assert shared.put(slot, began.generation, b"sealed", lasts=60)
    late = shared.lease(slot, began)  # who asked ended, and left an answer
    assert (late.ours, late.news) == (False, True)
    assert shared.lease(slot, shared.begin(slot)).ours
    shared.close()


def test_one_process_asks_and_the_others_wait_for_it(make: Make) -> None:
    source = Source()
    readers = [make(source) for _ in range(4)]
    source.gate.clear()
    with ThreadPoolExecutor(16) as pool:
        asked = [pool.submit(each.version) for each in readers for _ in range(4)]
        assert source.entered.wait(10)
        source.gate.set()
        assert {each.result() for each in asked} == {"1"}
    assert source.calls == 1


def test_an_outage_is_known_to_all_and_one_asks_again(make: Make) -> None:
    source, hands = Source(error=silent), Hands()
    readers = [make(source, hands) for _ in range(4)]
    for _ in range(25):
        for each in readers:
            with pytest.raises(SecretUnavailable):
                each.version()
    assert source.calls == 1


def test_the_last_good_value_outlives_the_process_that_read_it(make: Make) -> None:
    hands = Hands()
    first = make(hands=hands)
    first.version()
    first.cache.close()
    hands.now += 1000
    later = make(Source(error=silent), hands)
    assert later.given().notes[0].startswith("the store does not answer since")
    hands.now += 3000
    with pytest.raises(SecretUnavailable):
        make(Source(error=silent), hands).version()


def test_without_the_redis_reads_go_on_and_little_is_kept(broker: Broker) -> None:
    del broker
    hands, source = Hands(), Source()
    read = reader(RedisShared(connect("redis://127.0.0.1:1/0")), source=source, hands=hands)
    assert read.version() == "1"
    hands.now += 4
    assert (read.version(), source.calls) == ("1", 1)
    source.version = 2
    hands.now += 7  # what the Redis would have said may be missed for ten seconds, and no longer
    assert read.version() == "2"
    read.cache.close()


def test_threads_that_race_rotations_never_see_an_old_value_for_long(
    make: Make, announcer: RedisAnnouncer
) -> None:
    source, stop, worst = Source(), threading.Event(), [0.0]
    rotated_at = {1: time.monotonic()}
    readers = [make(source) for _ in range(2)]

    def run(each: Reader) -> None:
        while not stop.is_set():
            asked = time.monotonic()
            version = int(each.version())
            over = rotated_at.get(version + 1)
            if over is not None:
                worst[0] = max(worst[0], asked - over)

    with ThreadPoolExecutor(4) as pool:
        done = [pool.submit(run, each) for each in readers for _ in range(2)]
        for version in range(2, 12):
            source.version = version
            announcer.rotated(KEY)
            rotated_at[version] = time.monotonic()
            time.sleep(0.01)
        stop.set()
        for each in done:
            each.result()
    assert worst[0] < 1.0
    assert {each.version() for each in readers} == {"11"}


PROGRAM = """
import sys
from pathlib import Path
from stanch.responder.lifecycle.cache.opening import connect
from stanch.responder.lifecycle.cache.redis_shared import RedisShared
from stanch.responder.lifecycle.model.error import SecretError
from stanch.responder.vault.master import LocalMasterKey
from tests.responder.lifecycle.cache_sample import Source, reader

url, key = sys.stdin.readline().split()
made = reader(RedisShared(connect(url)), source=Source(version=7), master=LocalMasterKey(Path(key)))
for line in sys.stdin:
    try:
        print(made.version(), made.source.calls, flush=True)
    except SecretError as error:
        print(type(error).__name__, made.source.calls, flush=True)
"""


def test_two_processes(
    make: Make, announcer: RedisAnnouncer, broker: Broker, tmp_path: Path, master: LocalMasterKey
) -> None:
    del master
    here = make()
    here.version()
    other = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert other.stdin is not None
    assert other.stdout is not None

    def there(line: str = "") -> str:
        print(line, file=other.stdin, flush=True)
        return other.stdout.readline().strip() if other.stdout else ""

    try:
        print(url(broker), tmp_path / "cache.key", file=other.stdin, flush=True)
        assert there() == "1 0"  # ours, opened with the same key: its store was not asked
        announcer.rotated(KEY)
        assert until(lambda: there() == "7 1") < 1.0
        assert until(lambda: here.version() == "7") < 1.0
        announcer.revoked(KEY, why="leaked")
        assert until(lambda: there() == "SecretRefused 1") < 1.0
    finally:
        other.kill()
        other.communicate()


def test_an_altered_data_key_keeps_nothing_and_breaks_nothing(make: Make, broker: Broker) -> None:
    with broker.client() as client:
        client.set(naming.data_key("n"), b"planted by somebody")
    one = make()
    assert (one.version(), one.version(), one.source.calls) == ("1", "1", 1)
    with broker.client() as client:
        assert not client.exists(naming.values(KEY.path))


def test_a_client_that_is_cut_off_comes_back(make: Make, broker: Broker) -> None:
    one = make()
    one.version()
    with broker.client() as client:
        client.execute_command("CLIENT", "KILL", "TYPE", "pubsub")
    one.source.version = 2
    with RedisAnnouncer(redis.Redis.from_url(url(broker)), within=TERMS_WITHIN) as announcer:
        announcer.rotated(KEY)
        assert until(lambda: one.version() == "2") < 1.5

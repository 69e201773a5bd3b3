"""What is kept, for how long, and what is given while a store is slow, silent or refuses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from stanch.responder.lifecycle.cache.setting import CacheSection
from stanch.responder.lifecycle.cache.term import terms
from stanch.responder.lifecycle.model.environment import Environment
from stanch.responder.lifecycle.model.error import (
    SecretAbsent,
    SecretDenied,
    SecretError,
    SecretUnavailable,
)
from tests.responder.lifecycle.cache_sample import KEY, TERMS, Hands, Reader, Source, reader


def denied() -> SecretError:
    return SecretDenied("no", remedy="ask")


def absent() -> SecretError:
    return SecretAbsent("gone", remedy="look")


def silent() -> SecretError:
    return SecretUnavailable("no answer", remedy="wait")


def settled(read: Reader, until: Callable[[], bool]) -> None:
    """Wait for a read in the background; it is another thread's."""
    pause = threading.Event()
    for _ in range(500):
        if until():
            return
        pause.wait(0.01)
    raise AssertionError(f"never happened; {read.source.calls} calls")


@pytest.mark.parametrize(
    ("environment", "keep", "outage"),
    [("dev", 0.0, 3600.0), ("test", 60.0, 300.0), ("staging", 300.0, 3600.0), ("prod", 300, 3600)],
)
def test_an_environment_says_how_long(environment: str, keep: float, outage: float) -> None:
    found = terms(Environment(environment), CacheSection(), lambda: 1.0)
    assert (found.keep, found.outage, found.kept) == (keep, outage, keep > 0)
    assert found.fresh() == pytest.approx(keep * 0.8)  # jitter shortens, and never lengthens
    short = terms(Environment(environment), CacheSection(most_seconds=10), lambda: 0.0)
    assert short.keep == min(keep, 10)


def test_one_call_is_enough_until_the_time_is_over() -> None:
    hands, source = Hands(), Source()
    read = reader(hands=hands, source=source)
    assert read.version() == "1"
    source.version = 2
    hands.now += 299
    assert (read.version(), source.calls) == ("1", 1)
    hands.now += 2
    assert read.version() == "1"  # given once more, while it is asked for anew
    settled(read, lambda: read.version() == "2")
    assert source.calls == 2


def test_a_value_that_nobody_read_for_long_is_asked_for_first() -> None:
    hands, source = Hands(), Source()
    read = reader(hands=hands, source=source)
    read.version()
    source.version = 2
    hands.now += 601
    assert read.version() == "2"


def test_many_who_ask_at_once_are_one_call() -> None:
    source = Source()
    read = reader(source=source)
    source.gate.clear()
    with ThreadPoolExecutor(32) as pool:
        asked = [pool.submit(read.version) for _ in range(200)]
        assert source.entered.wait(10)
        source.gate.set()
        assert {each.result() for each in asked} == {"1"}
    assert source.calls == 1


def test_nobody_waits_for_a_slow_store_while_a_good_value_is_there() -> None:
    hands, source = Hands(), Source()
    read = reader(hands=hands, source=source)
    read.version()
    source.version = 2
    hands.now += 301
    source.gate.clear()
    source.entered.clear()
    assert read.version() == "1"
    assert source.entered.wait(10)  # it is being asked
    assert [read.version() for _ in range(100)] == ["1"] * 100
    source.gate.set()
    settled(read, lambda: read.version() == "2")
    assert source.calls == 2


def test_an_outage_gives_the_last_good_value_says_so_and_ends() -> None:
    hands, source = Hands(), Source()
    read = reader(hands=hands, source=source)
    assert read.given().notes == ()
    source.error = silent
    for _ in range((3600 - 20) // 2):
        hands.now += 2
        read.version()
        settled(read, lambda: not read.cache._background._queued)
    (note,) = read.given().notes
    assert note.startswith("the store does not answer since ")
    assert (
        "this is the value of 1970-01-12 13:46:40 UTC, which is given until 1970-01-12 14:46"
        in (note)
    )
    assert 50 < source.calls < 3600 / 60 + 8  # a minute apart, after the first few
    hands.now += 21
    with pytest.raises(SecretUnavailable, match="no answer"):
        read.version()
    source.error = None
    hands.now += 61
    assert read.given().notes == ()


@pytest.mark.parametrize(("error", "kind"), [(denied, SecretDenied), (absent, SecretAbsent)])
def test_a_store_that_says_no_is_believed_at_once(
    error: Callable[[], SecretError], kind: type[SecretError]
) -> None:
    hands, source = Hands(), Source()
    read = reader(hands=hands, source=source)
    read.version()
    source.error = error
    hands.now += 301
    read.version()  # this one is given while the store is asked

    def refused() -> bool:
        try:
            read.version()
        except kind:
            return True
        return False

    settled(read, refused)
    assert source.calls == 2


def test_an_outage_after_a_refusal_gives_nothing_back() -> None:
    hands, source = Hands(), Source()
    read = reader(hands=hands, source=source)
    read.version()
    source.error = denied
    hands.now += 601
    with pytest.raises(SecretDenied):
        read.version()
    source.error = silent
    hands.now += 10
    with pytest.raises(SecretUnavailable):
        read.version()


def test_a_broken_secret_costs_no_more_calls_than_a_sound_one() -> None:
    hands, source = Hands(), Source(error=denied)
    read = reader(hands=hands, source=source)
    for _ in range(86_400 // 4):
        hands.now += 4
        with pytest.raises(SecretDenied) as caught:
            read.version()
    assert source.calls <= 86_400 / 300 + 8
    assert "asked again in" in str(caught.value)
    assert caught.value.remedy == "ask"


def test_a_store_that_is_silent_from_the_start_is_not_asked_by_everybody() -> None:
    hands, source = Hands(), Source(error=silent)
    read = reader(hands=hands, source=source)
    for _ in range(1000):
        with pytest.raises(SecretUnavailable):
            read.version()
    assert source.calls == 1
    for wait in (2, 4, 8):
        hands.now += wait
        with pytest.raises(SecretUnavailable):
            read.version()
    hands.now += 1  # the next one is due after 8 s
    with pytest.raises(SecretUnavailable):
        read.version()
    assert source.calls == 4
    hands.now += 8
    source.error = None
    assert read.version() == "1"


def test_what_is_forgotten_while_it_is_read_is_read_again() -> None:
    source = Source()
    read = reader(source=source)
    source.gate.clear()
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(read.version)
        assert source.entered.wait(10)
        source.version = 2  # rotated, after the store was asked and before it has answered
        read.cache.forget(KEY)
        source.gate.set()
        assert asked.result() == "2"
    assert (read.version(), source.calls) == ("2", 2)


def test_forgetting_one_secret_forgets_its_tool_s_and_no_other() -> None:
    whole, other = replace(KEY, name="*"), replace(KEY, tool="github")
    sources = [Source(key=each) for each in (KEY, whole, other)]
    read = [reader(source=sources[0])]
    read += [Reader(read[0].cache, each) for each in sources[1:]]
    for _ in range(2):
        for each in read:
            each.version()
    read[0].cache.forget(replace(KEY, version="1"))
    for each in read:
        each.version()
    assert [each.calls for each in sources] == [2, 2, 1]


def test_a_mistake_in_the_configuration_is_not_kept() -> None:
    read = reader()

    def broken() -> tuple[()]:
        raise ValueError("broken")

    for _ in range(2):
        with pytest.raises(ValueError, match="broken"):
            read.cache.get(KEY, broken)
    assert read.version() == "1"
    read.cache.close()


def test_jitter_spreads_a_fleet() -> None:
    shares = iter((0.0, 0.5, 1.0))
    found = replace(TERMS, chance=lambda: next(shares))
    assert [found.fresh() for _ in range(3)] == [300.0, 270.0, 240.0]

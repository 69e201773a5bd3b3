"""Looks by themselves, while webhooks come in; and whose turn it is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from stanch.responder.bootstrap import watching as joined
from stanch.responder.bootstrap.watching import turns
from stanch.responder.watch import turn
from stanch.responder.watch.follow import Files
from stanch.responder.watch.setting import Watched
from stanch.responder.watch.sight import Brought, Sight
from stanch.scanner.api import Scanner
from tests.responder.watch.conftest import Post, Watches, push_of
from tests.responder.watch.test_github_hook import SECRET, send, watch
from tests.scanner.sources.remote.conftest import GitHost

Start = Callable[[], GitHost]
Token = Callable[[int], str]
PATIENCE = 30.0


@pytest.fixture
def host(git_host: Start) -> GitHost:
    started = git_host()
    started.repository("acme/app")
    return started


def until(true: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_a_webhook_is_followed_by_a_look_while_the_house_watches(
    host: GitHost, watching: Watches, hook_secret: bytes, token: Token
) -> None:
    host.push("acme/app", {"a.env": f"TOKEN={token(1)}\n"})
    post = watching(*watch(host, SECRET))
    with joined.watching(post.house):
        assert send(post, push_of(host, "acme/app"), hook_secret).status_code == 202
        until(post.incidents)
        until(lambda: post.source(host.url("acme/app")).looked_at)
    assert post.places() == ["a.env:1"]
    names = {thread.name for thread in threading.enumerate()}
    assert not {"stanch-watch", "stanch-look", "stanch-hold"} & names


class Slow:
    """An eye that looks until it is let go, and counts how often."""

    def __init__(self) -> None:
        self.looks, self.go, self.began = 0, threading.Event(), threading.Event()

    def look(self, source: Any, watched: Watched, now: Any) -> Sight:
        del watched, now

        def results() -> Iterator[Brought]:
            self.looks += 1
            self.began.set()
            self.go.wait(PATIENCE)
            yield from ()

        return Sight(results=results(), cursor={**source.cursor, "seen": self.looks})


@pytest.fixture
def slow(host: GitHost, watching: Watches) -> tuple[Post, turn.Turns, Slow]:
    post = watching("[watch.app]", 'kind = "git"', f'of = "{host.url("acme/app")}"')
    eye, made = Slow(), turns(post.house)
    looker = replace(made.looker, eyes={"git": eye})
    return post, replace(made, looker=looker), eye


def test_of_many_workers_one_looks(slow: tuple[Post, turn.Turns, Slow]) -> None:
    post, turning, eye = slow
    (source,) = post.sources()
    workers = [threading.Thread(target=turning.looker.look, args=(source.id,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    assert eye.began.wait(PATIENCE)
    until(lambda: sum(worker.is_alive() for worker in workers) == 1)
    eye.go.set()
    for worker in workers:
        worker.join(PATIENCE)
    assert eye.looks == 1
    assert post.sources()[0].cursor == {"seen": 0}


def test_news_that_comes_while_somebody_looks_is_looked_at_again(
    slow: tuple[Post, turn.Turns, Slow],
) -> None:
    post, turning, eye = slow
    (source,) = post.sources()
    worker = threading.Thread(target=turning.looker.look, args=(source.id,))
    worker.start()
    assert eye.began.wait(PATIENCE)
    post.due(source.subject)
    eye.go.set()
    worker.join(PATIENCE)
    again = post.sources()[0]
    assert again.noticed_at is not None
    assert turning.once()
    assert eye.looks == 2
    assert post.sources()[0].noticed_at is None


def test_a_look_that_does_not_end_does_not_keep_it_from_stopping(
    slow: tuple[Post, turn.Turns, Slow], monkeypatch: pytest.MonkeyPatch
) -> None:
    post, turning, eye = slow
    monkeypatch.setattr(turn, "GRACE", 0.1)
    stop = threading.Event()
    thread = threading.Thread(target=turning.run, args=(stop,), kwargs={"hands": 2})
    thread.start()
    assert eye.began.wait(PATIENCE)
    stop.set()
    thread.join(5)
    assert not thread.is_alive()
    assert post.sources()[0].cursor == {}
    eye.go.set()  # lest it outlives its store
    until(lambda: post.sources()[0].cursor)


def test_each_hand_has_a_scanner_of_its_own(slow: tuple[Post, turn.Turns, Slow]) -> None:
    """Two threads in one Hyperscan database end in an error; each keeps what it has made."""
    made = turns(slow[0].house).looker.eyes["file"]
    assert isinstance(made, Files)
    scanners: list[Scanner] = []
    for _ in range(2):
        hand = threading.Thread(target=lambda: scanners.extend((made.scanner(), made.scanner())))
        hand.start()
        hand.join(PATIENCE)
    first, same, second, also = scanners
    assert first is same
    assert second is also
    assert first is not second

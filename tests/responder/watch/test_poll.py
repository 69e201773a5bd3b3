"""What a webhook lost, a look finds; and a look that ends anywhere loses and doubles nothing."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from stanch.responder.bootstrap import open_house
from stanch.responder.bootstrap.watching import turns
from stanch.responder.config import load
from stanch.responder.domain.watched import SourceId
from stanch.responder.services.lookout import lookouts
from stanch.responder.watch.hold import Hold
from stanch.responder.watch.look import Looker
from tests.responder.watch.conftest import Post, Watches
from tests.scanner.sources.remote.conftest import GitHost

Start = Callable[[], GitHost]
Token = Callable[[int], str]
LIST = "/api/v3/orgs/acme/repos?type=all&per_page=100"


@pytest.fixture
def host(git_host: Start) -> GitHost:
    started = git_host()
    started.repository("acme/app")
    return started


def listed(host: GitHost, changed: str, *names: str) -> None:
    host.pages[LIST] = [
        {"full_name": name, "clone_url": host.url(name), "pushed_at": changed}
        for name in names or ("acme/app",)
    ]


@pytest.fixture
def post(host: GitHost, watching: Watches) -> Post:
    return watching("[watch.acme]", 'kind = "github"', f'of = "{host.name}/acme"')


def test_a_push_whose_webhook_was_lost_is_found_by_the_next_look(
    host: GitHost, post: Post, token: Token
) -> None:
    host.push("acme/app", {"a": "a\n"})
    listed(host, "monday")
    assert post.look()
    host.push("acme/app", {"a.env": f"TOKEN={token(1)}\n"})
    listed(host, "tuesday")
    assert post.look()
    assert post.incidents() == [], "it is not due"
    post.due(f"github:{host.name}/acme")
    assert post.look()
    assert post.places() == ["a.env:1"]


def test_what_has_not_changed_is_not_fetched(host: GitHost, post: Post) -> None:
    host.push("acme/app", {"a": "a\n"})
    listed(host, "monday")
    post.look()
    host.asked.clear()
    post.due(f"github:{host.name}/acme")
    post.look()
    assert [path for path, _ in host.asked] == [LIST]


def test_what_is_listed_no_more_is_said_and_comes_back(host: GitHost, post: Post) -> None:
    host.push("acme/app", {"a": "a\n"})
    listed(host, "monday")
    post.look()
    host.pages[LIST] = []
    post.due(f"github:{host.name}/acme")
    post.look()
    gone = post.source(host.url("acme/app"))
    assert gone.looked_at is not None
    assert (gone.due_at, gone.gap) == (None, "its host lists it no more")
    (row,) = lookouts({"acme": f"github:{host.name}/acme"}, post.sources(), (), gone.looked_at)
    assert (row.gone, row.whole) == (1, True)
    listed(host, "monday")
    post.due(f"github:{host.name}/acme")
    post.look()
    back = post.source(host.url("acme/app"))
    assert back.due_at is not None
    assert back.gap == ""


@pytest.mark.parametrize("boundary", ["before", "after"])
def test_a_worker_killed_between_finding_and_recording_loses_and_doubles_nothing(
    host: GitHost, post: Post, token: Token, boundary: str
) -> None:
    host.push("acme/app", {"a.env": f"TOKEN={token(1)}\n", "b.env": f"TOKEN={token(2)}\n"})
    listed(host, "monday")
    number = _repository(post, host)
    _killed(number, boundary)
    before = post.incidents()
    assert post.places() == ["a.env:1", "b.env:1"], "found"
    recorded = post.source(host.url("acme/app")).cursor != {}
    assert recorded is (boundary == "after")
    assert turns(post.house).looker.look(number).source is None, "held, as long as it may live"
    _lapse(post)
    post.due(host.url("acme/app"))
    outcome = turns(post.house).looker.look(number)
    assert (outcome.new, outcome.whole) == (0, True)
    assert post.incidents() == before
    assert post.source(host.url("acme/app")).cursor["tips"]


def _killed(number: SourceId, boundary: str) -> None:
    """A process of its own looks, and is killed around the moment at which the cursor moves."""

    def work() -> None:
        save = Looker._save

        def killing(*given: Any, **named: Any) -> Any:
            if boundary == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            return save(*given, **named)

        def after(*_: object) -> None:
            os.kill(os.getpid(), signal.SIGKILL)

        Looker._save = killing  # type: ignore[method-assign]  # in a process that dies of it
        Hold.__exit__ = after  # type: ignore[method-assign]  # as above
        with open_house(load()) as house:
            turns(house).looker.look(number)

    child = multiprocessing.get_context("fork").Process(target=work)
    child.start()
    child.join(60)
    assert child.exitcode == -signal.SIGKILL


def _repository(post: Post, host: GitHost) -> SourceId:
    """The repository's source, listed and not read."""
    looker = turns(post.house).looker
    looker.look(post.source(f"github:{host.name}/acme").id)
    return post.source(host.url("acme/app")).id


def _lapse(post: Post) -> None:
    with post.house.store.transaction() as tx:
        for name, owner in tx.locks.held(tx.now()).items():
            tx.locks.take(name, owner, now=tx.now(), until=tx.now() - timedelta(seconds=1))


def test_a_look_that_lost_its_hold_does_not_move_the_cursor_back(host: GitHost, post: Post) -> None:
    host.push("acme/app", {"a": "a\n"})
    listed(host, "monday")
    number = _repository(post, host)
    looker = turns(post.house).looker
    taking = looker.taking
    other = turns(post.house).looker

    def slow(source: Any) -> Any:
        _lapse(post)
        host.push("acme/app", {"b": "b\n"})
        other.look(number)
        return taking(source)

    object.__setattr__(looker, "taking", slow)
    assert looker.look(number).source is None
    tips = post.source(host.url("acme/app")).cursor["tips"]
    assert tips


def test_what_cannot_be_read_is_tried_again_later_and_later_and_never_skipped(
    host: GitHost, post: Post, token: Token
) -> None:
    host.push("acme/app", {"a.env": f"TOKEN={token(1)}\n"})
    listed(host, "monday")
    place = host.root / "acme/app.git"
    away = place.with_suffix(".away")
    place.rename(away)
    pauses = list(_failing(post, host, times=4))
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]
    source = post.source(host.url("acme/app"))
    assert (source.tries, source.looked_at, source.cursor) == (4, None, {})
    assert "there is no repository" in source.error
    assert source.remedy
    away.rename(place)
    post.due(host.url("acme/app"))
    assert post.look()
    assert post.places() == ["a.env:1"]
    healed = post.source(host.url("acme/app"))
    assert (healed.tries, healed.error) == (0, "")


def _failing(post: Post, host: GitHost, *, times: int) -> Iterator[timedelta]:
    post.look()
    for _ in range(times - 1):
        yield _pause(post, host)
        post.due(host.url("acme/app"))
        assert not post.look()
    yield _pause(post, host)


def _pause(post: Post, host: GitHost) -> timedelta:
    source = post.source(host.url("acme/app"))
    assert source.due_at is not None
    with post.house.store.snapshot() as tx:
        return source.due_at - tx.now()


def test_a_defect_in_one_look_does_not_end_the_others(
    host: GitHost, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Any:
        raise ZeroDivisionError

    turning = turns(post.house)
    monkeypatch.setattr(type(turning.looker.eyes["owner"]), "look", broken)
    with capture_logs() as logs:
        assert not turning.once()
    assert [each["event"] for each in logs] == ["look.crashed"]
    source = post.source(f"github:{host.name}/acme")
    assert source.error == "internal error (ZeroDivisionError)"


def test_what_was_there_before_is_left_where_that_is_wanted(
    host: GitHost, watching: Watches, token: Token
) -> None:
    host.push("acme/app", {"old.env": f"TOKEN={token(1)}\n"})
    url = host.url("acme/app")
    post = watching("[watch.app]", 'kind = "git"', f'of = "{url}"', 'begin = "now"')
    assert post.look()
    host.push("acme/app", {"new.env": f"TOKEN={token(2)}\n", "old.env": f"TOKEN={token(1)}\n"})
    post.due(url)
    assert post.look()
    assert post.places() == ["new.env:1"]


def test_what_is_watched_no_more_is_forgotten(host: GitHost, post: Post, watching: Watches) -> None:
    host.push("acme/app", {"a": "a\n"})
    listed(host, "monday")
    post.look()
    assert len(post.sources()) == 2
    later = watching("[watch.other]", 'kind = "git"', f'of = "{host.url("acme/app")}"')
    turns(later.house)
    assert [each.watch for each in later.sources()] == ["other"]

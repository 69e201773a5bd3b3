"""Runs of pipelines: each is read once it has ended, in whatever order they end, however many."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from stanch.scanner.api import Seen
from stanch.scanner.sources.log import seen
from stanch.scanner.sources.log.provider import asking
from tests.responder.watch.conftest import Post, Watches
from tests.scanner.conftest import github_token
from tests.scanner.sources.http.conftest import Host, host, reply

__all__ = ["host"]

Start = Callable[[], Host]


@dataclass
class Actions:
    """GitHub's interface for the runs of one repository, newest first, in pages."""

    host: Host
    runs: dict[int, dict[str, Any]] = field(default_factory=dict)
    logs: dict[int, bytes] = field(default_factory=dict)
    broken: dict[int, int] = field(default_factory=dict)  # the status that a log has instead
    pages: dict[str, Any] = field(default_factory=dict)  # other paths
    listed: int = 0  # pages of runs that were asked for

    def add(self, number: int, *, status: str = "completed", attempt: int = 1) -> None:
        self.runs[number] = {"id": number, "status": status, "run_attempt": attempt}
        line = f"2025-04-07T12:57:01.2904078Z token {github_token(number + 1000 * attempt)}\n"
        self.logs[number] = line.encode()

    def read(self) -> list[int]:
        """Runs whose logs were fetched, in that order, and forget it."""
        paths = [path for path, _ in self.host.asked if path.endswith("/logs")]
        self.host.asked.clear()
        return [int(path.split("/")[-2]) for path in paths]

    def __call__(self, asked: BaseHTTPRequestHandler) -> None:
        parts = urlsplit(asked.path)
        names = parts.path.removeprefix("/api/v3/repos/acme/app/actions/").split("/")
        match names:
            case ["runs"]:
                self._page(asked, parts.query)
            case ["runs", number, "jobs"]:
                self._jobs(asked, self.runs[int(number)])
            case ["runs", _, "artifacts"]:
                reply(asked, 200, b'{"artifacts": []}')
            case ["jobs", number, "logs"]:
                refused = self.broken.get(int(number))
                reply(asked, refused or 200, b"" if refused else self.logs[int(number)])
            case _ if asked.path in self.pages:
                reply(asked, 200, json.dumps(self.pages[asked.path]).encode())
            case _:
                reply(asked, 404)

    def _page(self, asked: BaseHTTPRequestHandler, query: str) -> None:
        self.listed += 1
        wanted = {name: int(values[0]) for name, values in parse_qs(query).items()}
        size, page = wanted["per_page"], wanted.get("page", 1)
        rows = [self.runs[number] for number in sorted(self.runs, reverse=True)]
        here = rows[size * (page - 1) : size * page]
        more = f"{self.host.url}{urlsplit(asked.path).path}?per_page={size}&page={page + 1}"
        links = {"link": f'<{more}>; rel="next"'} if size * page < len(rows) else {}
        reply(asked, 200, json.dumps({"workflow_runs": here}).encode(), **links)

    @staticmethod
    def _jobs(asked: BaseHTTPRequestHandler, run: dict[str, Any]) -> None:
        job = {
            "id": run["id"],
            "run_id": run["id"],
            "run_attempt": run["run_attempt"],
            "name": "build",
            "status": run["status"],
        }
        reply(asked, 200, json.dumps({"jobs": [job]}).encode())


@pytest.fixture
def actions(host: Start) -> Actions:
    started = host()
    made = Actions(host=started)
    started.answer = made
    return made


@pytest.fixture
def post(actions: Actions, watching: Watches) -> Post:
    return watching(*lines(actions))


def lines(actions: Actions, *more: str) -> tuple[str, ...]:
    of = f"github/{actions.host.name}/acme/app"
    return ("[watch.ci]", 'kind = "ci"', f'of = "{of}"', *more)


def look(post: Post) -> bool:
    for source in post.sources():
        post.due(source.subject)
    return post.look()


def test_each_run_is_read_once(actions: Actions, post: Post) -> None:
    actions.add(1)
    actions.add(2)
    assert look(post), post.sources()
    assert actions.read() == [2, 1]
    actions.add(3)
    assert look(post)
    assert actions.read() == [3]
    assert look(post)
    assert actions.read() == []
    assert len(post.incidents()) == 3


def test_a_run_that_goes_on_is_read_when_it_has_ended_and_is_no_failure(
    actions: Actions, post: Post
) -> None:
    actions.add(1, status="in_progress")
    actions.add(2)
    assert look(post)
    assert actions.read() == [2]
    actions.add(1)
    assert look(post)
    assert actions.read() == [1]


def test_what_failed_is_owed_however_many_come_after_it(
    actions: Actions, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seen, "KEPT", 3)
    actions.add(1)
    actions.add(2)
    actions.broken[1] = 403
    assert not look(post)
    assert post.sources()[0].tries == 1
    for number in range(3, 9):
        actions.add(number)
    assert not look(post)
    actions.read()
    actions.broken.clear()
    assert look(post)
    assert actions.read() == [1]
    actions.add(9)
    assert look(post)
    assert actions.read() == [9]
    (pipeline,) = Seen.of(post.sources()[0].cursor).pipelines.values()
    assert (pipeline.floor, pipeline.read) == (7, {"7#1", "8#1", "9#1"})


def test_a_log_that_is_gone_is_said_once_and_holds_nothing_up(actions: Actions, post: Post) -> None:
    actions.add(1)
    actions.broken[1] = 404  # a job that was cancelled has none
    assert look(post)
    with post.house.store.snapshot() as tx:
        (said,) = tx.sources.suspicions()
    assert said.rule == "not-read"
    assert "expired, deleted" in said.reason
    actions.read()
    assert look(post)
    assert actions.read() == []


def test_more_runs_than_a_page_between_two_looks_are_all_read(
    actions: Actions, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "_PAGE", 4)
    actions.add(1)
    assert look(post)
    actions.read()
    for number in range(2, 12):
        actions.add(number)
    assert look(post)
    assert actions.read() == list(range(11, 1, -1))
    actions.listed = 0
    assert look(post)
    assert actions.read() == []


def test_another_attempt_is_another_log(actions: Actions, post: Post) -> None:
    actions.add(1)
    assert look(post)
    actions.read()
    actions.add(1, attempt=2)
    assert look(post)
    assert actions.read() == [1]
    assert len(post.incidents()) == 2


def test_a_first_look_reads_the_latest_and_from_now_on_none(
    actions: Actions, watching: Watches, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "LATEST", 2)
    for number in range(1, 6):
        actions.add(number)
    first = watching(*lines(actions))
    assert look(first)
    assert actions.read() == [5, 4]
    assert look(first)
    assert actions.read() == []
    behind = watching("[watch.later]", *lines(actions, 'begin = "now"')[1:])
    assert look(behind)
    actions.add(6)
    assert look(behind)
    assert actions.read() == [6]


def test_a_webhook_about_a_run_makes_its_logs_due(
    actions: Actions, watching: Watches, hook_secret: bytes
) -> None:
    from tests.responder.watch.test_github_hook import send  # noqa: PLC0415  # one door for all

    post = watching(
        "[watch.acme]",
        'kind = "github"',
        f'of = "{actions.host.name}/acme"',
        'secret = "env:HOOK_SECRET"',
        *lines(actions),
    )
    body = json.dumps({"repository": {"full_name": "Acme/App"}}).encode()
    sent = send(post, body, hook_secret, **{"x-github-event": "workflow_run"})
    assert sent.status_code == 202
    (source,) = [each for each in post.sources() if each.kind == "ci"]
    assert (source.wanted, source.watch) == (1, "ci")


def test_the_runs_of_all_that_is_listed_are_read_when_they_end(
    actions: Actions, watching: Watches, hook_secret: bytes
) -> None:
    from tests.responder.watch.test_github_hook import SECRET, send  # noqa: PLC0415  # as above

    name = actions.host.name
    row = {"full_name": "acme/app", "clone_url": f"{actions.host.url}/acme/app.git"}
    actions.pages["/api/v3/orgs/acme/repos?type=all&per_page=100"] = [row]
    post = watching("[watch.acme]", 'kind = "github"', f'of = "{name}/acme"', SECRET, "runs = true")
    actions.add(1)
    actions.add(2, status="in_progress")
    post.look()
    assert actions.read() == [1]
    runs = post.source(f"github/{name}/acme/app")
    assert runs.kind == "ci"
    assert _rest(post, runs.subject) == timedelta(seconds=300), "something goes on"
    actions.add(2)
    body = json.dumps({"repository": {"full_name": "acme/app"}}).encode()
    assert send(post, body, hook_secret, **{"x-github-event": "workflow_run"}).status_code == 202
    post.look()
    assert actions.read() == [2]
    assert _rest(post, runs.subject) == timedelta(seconds=300), "a run may begin late"
    with post.house.store.transaction() as tx:
        tx.sources.save(replace(post.source(runs.subject), due_at=tx.now()))
    post.look()
    assert _rest(post, runs.subject) == timedelta(days=1)


def _rest(post: Post, subject: str) -> timedelta:
    source = post.source(subject)
    assert source.due_at is not None
    assert source.looked_at is not None
    return source.due_at - source.looked_at

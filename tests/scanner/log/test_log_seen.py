"""What was read of runs: nothing is skipped in whatever order they end, and little is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, BytesIO
from typing import IO, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.scanner.api import Gap, Match, Scanner, Seen
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.log import seen as remembering
from stanch.scanner.sources.log.provider.asking import unended, unread_units
from stanch.scanner.sources.log.source import Log
from stanch.scanner.sources.source import Milestone
from tests.scanner.log.test_log_provider import Start, host, serve

__all__ = ["host"]

Token = Callable[[int], str]


@contextmanager
def _opened() -> Iterator[IO[bytes]]:
    yield BufferedReader(BytesIO(b"x"))


def look(kept: dict[str, Any], runs: dict[int, str]) -> tuple[dict[str, Any], list[int]]:
    """One look at runs by number that are ``ended``, ``failing`` or ``going``; what it read."""
    seen, read = Seen.of(json.loads(json.dumps(kept))), list[int]()

    def logs(number: int) -> Iterator[Log | Gap | Milestone]:
        if runs[number] == "ended":
            yield Log(place=InLog(path=str(number), provider="x"), open=_opened)
        elif runs[number] == "going":
            yield unended(str(number))
        else:
            yield Gap(path=str(number), why="not read", incomplete=True)

    units = (((number, ""), number) for number in sorted(runs, reverse=True))
    whole = True
    for each in unread_units(seen, "scope", units, logs):
        if isinstance(each, Log):
            read.append(int(each.place.path))
        elif isinstance(each, Gap):
            whole = False
        else:
            if each.over is not None:
                each.over(whole)
            whole = True
    return seen.kept(), read


EVENTS = st.lists(
    st.tuples(st.sampled_from(["begin", "run", "run", "end", "fail", "look"]), st.integers(0, 30)),
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(events=EVENTS)
def test_each_run_is_read_once_and_none_is_skipped(events: list[tuple[str, int]]) -> None:
    runs, read, kept = {1: "ended"}, list[int](), dict[str, Any]()
    before, remembering.KEPT = remembering.KEPT, 3
    try:
        for what, which in [("look", 0), *events, ("all", 0), ("look", 0)]:
            number = sorted(runs)[which % len(runs)]
            match what:
                case "begin":
                    runs[max(runs) + 1 + which % 3] = "going"
                case "run":
                    runs[max(runs) + 1 + which % 3] = "ended"
                case "end":
                    runs[number] = "ended"
                case "fail" if number not in read:
                    runs[number] = "failing"
                case "all":
                    runs = dict.fromkeys(runs, "ended")
                case _:
                    kept, now = look(kept, runs)
                    read += now
    finally:
        remembering.KEPT = before
    assert sorted(read) == sorted(runs)
    assert len(kept["pipelines"]["scope"]["read"]) <= len(runs)
    if all(state == "ended" for state in runs.values()):
        assert len(look(kept, runs)[0]["pipelines"]["scope"]["read"]) <= max(3, len(runs))


def again(scanner: Scanner, target: str, seen: Seen) -> tuple[int, list[Gap]]:
    """How much is found by a look, and what it could not read."""
    results = list(scanner.scan_log(target, seen=seen))
    found = [each for each in results if isinstance(each, Match)]
    return len(found), [each for each in results if isinstance(each, Gap) and each.incomplete]


@pytest.fixture(autouse=True)
def home(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCH_HOME", str(tmp_path))


def test_gitlab_reads_jobs_when_they_have_ended(
    scanner: Scanner, host: Start, token: Token
) -> None:
    gitlab, seen = host(), Seen.of({})
    api = "/api/v4/projects/acme%2Fapp/jobs"
    job = {"name": "build", "status": "success"}
    pages: dict[str, Any] = {
        f"{api}?per_page=100": [
            {**job, "id": 3, "status": "manual"},
            {**job, "id": 2, "status": "running"},
            {**job, "id": 1},
        ],
        **{f"{api}/{n}/trace": f"token {token(n)}\n".encode() for n in (1, 2, 3)},
    }
    serve(gitlab, pages)
    target = f"gitlab/{gitlab.name}/acme/app"
    assert again(scanner, target, seen) == (2, [])  # the running one as far as it is
    pages[f"{api}?per_page=100"] = [{**job, "id": n} for n in (3, 2, 1)]
    assert again(scanner, target, seen) == (2, [])
    assert again(scanner, target, seen) == (0, [])


def test_jenkins_goes_back_to_what_it_knows(scanner: Scanner, host: Start, token: Token) -> None:
    jenkins, seen = host(), Seen.of({})
    tree = "tree=jobs[name],builds[number,url,building]{0,21}"
    job = "/job/app/api/json"
    pages: dict[str, Any] = {
        f"{job}?{tree}": {"builds": [{"number": 1}]},
        **{f"/job/app/{n}/consoleText": f"token {token(n)}\n".encode() for n in range(1, 31)},
    }
    serve(jenkins, pages)
    target = f"jenkins/{jenkins.name}/job/app"
    assert again(scanner, target, seen) == (1, [])
    pages[f"{job}?{tree}"] = {"builds": [{"number": n} for n in range(30, 9, -1)]}
    older = "tree=allBuilds[number,url,building]{21,121}"
    pages[f"{job}?{older}"] = {"allBuilds": [{"number": n} for n in range(9, 0, -1)]}
    pages[f"{job}?tree=allBuilds[number,url,building]{{30,130}}"] = {"allBuilds": []}
    assert again(scanner, target, seen) == (29, [])
    assert again(scanner, target, seen) == (0, [])


def test_buildkite_reads_builds_that_ended(scanner: Scanner, host: Start, token: Token) -> None:
    buildkite, seen = host(), Seen.of({})
    api = "/v2/organizations/acme/pipelines/app/builds"
    job = {"type": "script", "id": "j", "name": "b", "started_at": "x", "finished_at": "x"}
    going = {"number": 2, "jobs": [], "finished_at": None}
    ended = {"number": 1, "jobs": [job], "finished_at": "x"}
    pages: dict[str, Any] = {
        f"{api}?per_page=100": [going, ended],
        **{f"{api}/{n}/jobs/j/log.txt": f"token {token(n)}\n".encode() for n in (1, 2)},
    }
    serve(buildkite, pages)
    target = f"buildkite/{buildkite.name}/acme/app"
    assert again(scanner, target, seen) == (1, [])
    pages[f"{api}?per_page=100"] = [{**going, "jobs": [job], "finished_at": "x"}, ended]
    assert again(scanner, target, seen) == (1, [])
    assert again(scanner, target, seen) == (0, [])


def test_circleci_reads_jobs_that_ended(scanner: Scanner, host: Start, token: Token) -> None:
    circle, seen = host(), Seen.of({})
    api = "/api/v1.1/project/gh/acme/app"
    steps = [{"name": "run", "actions": [{"output_url": f"{circle.url}/out"}]}]
    listed = f"{api}?limit=100&shallow=true"
    pages: dict[str, Any] = {
        listed: [
            {"build_num": 2, "lifecycle": "running"},
            {"build_num": 1, "lifecycle": "finished"},
        ],
        f"{api}/1": {"steps": steps},
        f"{api}/2": {"steps": []},
        "/out": [{"message": f"token {token(1)}\n"}],
    }
    serve(circle, pages)
    target = f"circleci/{circle.name}/gh/acme/app"
    assert again(scanner, target, seen) == (1, [])
    pages[listed] = [{"build_num": n, "lifecycle": "finished"} for n in (2, 1)]
    pages[f"{api}/2"] = {"steps": steps}
    assert again(scanner, target, seen) == (1, [])
    assert again(scanner, target, seen) == (0, [])


@pytest.mark.parametrize(
    "kept", [{}, {"pipelines": None, "streams": 3}, {"pipelines": {}, "other": 1}]
)
def test_a_memory_of_nothing_is_a_first_look(kept: dict[str, Any]) -> None:
    assert Seen.of(kept).kept() == {"pipelines": {}, "streams": {}}

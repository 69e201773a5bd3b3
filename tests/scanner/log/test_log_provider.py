from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from urllib.parse import unquote

import pytest

from stanch.scanner.api import Scanner, UsageError
from stanch.scanner.model.provenance import InLog
from tests.scanner.conftest import Outcome, sorted_out
from tests.scanner.sources.http.conftest import Host, host, reply

__all__ = ["host"]

Token = Callable[[int], str]
Start = Callable[[], Host]
Pages = Mapping[str, object]
STAMP = "2025-04-07T12:57:{:02}.2904078Z "


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCH_HOME", str(tmp_path))


def serve(provider: Host, pages: Pages) -> None:
    """Answers with JSON, or with bytes as they are; a number is a status."""

    def answer(asked: BaseHTTPRequestHandler) -> None:
        page = pages.get(asked.path, pages.get(unquote(asked.path)))
        match page:
            case None:
                reply(asked, 404)
            case int():
                reply(asked, page)
            case bytes():
                reply(asked, 200, page)
            case tuple():
                headers, rest = page
                reply(asked, 200, json.dumps(rest).encode(), **headers)
            case _:
                reply(asked, 200, json.dumps(page).encode())

    provider.answer = answer


def scanned(scanner: Scanner, target: str) -> Outcome:
    return sorted_out(iter(scanner.scan_target(f"log:{target}")))


def places(outcome: Outcome) -> list[InLog]:
    found = [each.finding.provenance for each in outcome.matches]
    assert all(isinstance(each, InLog) for each in found)
    return [each for each in found if isinstance(each, InLog)]


JOB = {
    "id": 7,
    "run_id": 123,
    "run_attempt": 2,
    "name": "build",
    "status": "completed",
    "conclusion": "failure",
    "html_url": "https://github.com/acme/app/actions/runs/123/job/7",
    "steps": [
        {"name": "Set up job", "started_at": "2025-04-07T12:57:01Z"},
        {"name": "Print everything", "started_at": "2025-04-07T12:57:10Z"},
    ],
}
ACTIONS = "/api/v3/repos/acme/app/actions"


def github_run(github: Host, log: bytes) -> Pages:
    """A run with two pages of jobs, of which one has a log."""
    more = f"{github.url}{ACTIONS}/runs/123/jobs?filter=all&per_page=100&page=2"
    return {
        f"{ACTIONS}/runs/123/jobs?filter=all&per_page=100": (
            {"link": f'<{more}>; rel="next"'},
            {"jobs": [JOB]},
        ),
        f"{ACTIONS}/runs/123/jobs?filter=all&per_page=100&page=2": {
            "jobs": [
                {**JOB, "id": 8, "name": "gone"},
                {**JOB, "id": 9, "name": "still", "status": "in_progress"},
                {**JOB, "id": 10, "name": "left out", "conclusion": "skipped"},
            ]
        },
        f"{ACTIONS}/jobs/7/logs": log,
        f"{ACTIONS}/jobs/8/logs": 410,
        f"{ACTIONS}/runs/123/artifacts?per_page=100": {
            "artifacts": [{"name": "a", "expired": True}]
        },
    }


def test_github_names_run_attempt_job_step_and_line(
    scanner: Scanner, host: Start, token: Token
) -> None:
    github = host()
    log = f"{STAMP.format(1)}hello\n{STAMP.format(12)}token {token(1)}\n".encode()
    serve(github, github_run(github, log))
    outcome = scanned(scanner, f"github/{github.name}/acme/app/runs/123")
    (place,) = places(outcome)
    assert (place.run, place.attempt, place.job, place.step) == (
        "123",
        2,
        "build",
        "Print everything",
    )
    assert place.link == JOB["html_url"]
    assert place.copies == (f"log:github/{github.name}/acme/app/runs/123",)
    assert scanned(scanner, place.copies[0].removeprefix("log:")).secrets == outcome.secrets
    assert outcome.matches[0].finding.span.line == 2
    assert outcome.matches[0].finding.span.column == len(STAMP.format(12)) + 7
    said = {each.path: each.why for each in outcome.incomplete}
    assert "expired, deleted" in said["acme/app/runs/123/gone"]
    assert "has not ended" in said["acme/app/runs/123/still"]
    assert len(said) == 2


def test_githubs_artifacts_are_read_as_files_and_each_content_once(
    scanner: Scanner, host: Start, token: Token
) -> None:
    github = host()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("dist/app.env", f"TOKEN={token(2)}\n")
    artifact = {"id": 1, "name": "dist", "digest": "sha256:1"}
    serve(
        github,
        {
            f"{ACTIONS}/runs/5/jobs?filter=all&per_page=100": {"jobs": []},
            f"{ACTIONS}/runs/5/artifacts?per_page=100": {
                "artifacts": [artifact, {**artifact, "id": 2, "name": "same"}]
            },
            f"{ACTIONS}/artifacts/1/zip": packed.getvalue(),
        },
    )
    outcome = scanned(scanner, f"github/{github.name}/acme/app/runs/5")
    assert [place.path for place in places(outcome)] == [
        "acme/app/runs/5/artifact dist.zip!dist/app.env"
    ]
    assert outcome.incomplete == []


def test_the_latest_runs_are_read_and_that_there_are_more_is_said(
    scanner: Scanner, host: Start
) -> None:
    github = host()
    runs = [{"id": number} for number in range(21)]
    pages: dict[str, object] = {f"{ACTIONS}/runs?per_page=20": {"workflow_runs": runs}}
    for number in range(20):
        pages[f"{ACTIONS}/runs/{number}/jobs?filter=all&per_page=100"] = {"jobs": []}
        pages[f"{ACTIONS}/runs/{number}/artifacts?per_page=100"] = {"artifacts": []}
    serve(github, pages)
    outcome = scanned(scanner, f"github/{github.name}/acme/app")
    assert [each.why for each in outcome.gaps] == ["only the latest 20 runs are read"]


def test_a_limit_that_lasts_makes_the_scan_incomplete(scanner: Scanner, host: Start) -> None:
    github = host()
    github.answer = lambda asked: reply(asked, 429, b"", retry_after="3600")
    outcome = scanned(scanner, f"github/{github.name}/acme/app/runs/1")
    (gap,) = outcome.incomplete
    assert "takes no more requests until" in gap.why


def test_a_token_goes_to_the_provider_and_not_to_where_the_log_lies(
    scanner: Scanner,
    host: Start,
    token: Token,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    github, storage = host(), host()
    (tmp_path / "stanch.toml").write_text(
        f'[hosts."{github.name}"]\ntoken = "env:GH"\n[hosts."{storage.name}"]\nprovider = "x"\n'
    )
    monkeypatch.setenv("GH", "0" * 20)

    def answer(asked: BaseHTTPRequestHandler) -> None:
        if asked.path.endswith("/logs"):
            reply(asked, 302, location=f"{storage.url}/log.txt?sig=1")
        else:
            reply(asked, 200, json.dumps(JOB).encode())

    github.answer = answer
    serve(storage, {"/log.txt?sig=1": f"{STAMP.format(11)}token {token(3)}\n".encode()})
    (place,) = places(scanned(scanner, f"github/{github.name}/acme/app/jobs/7"))
    assert place.job == "build"
    assert all(headers["authorization"] for _, headers in github.asked)
    assert [headers.get("authorization") for _, headers in storage.asked] == [None]


def test_gitlab_reads_traces_of_a_job_and_of_a_pipeline(
    scanner: Scanner, host: Start, token: Token
) -> None:
    gitlab = host()
    api = "/api/v4/projects/acme%2Fteam%2Fapp"
    job = {
        "id": 4,
        "name": "deploy",
        "status": "success",
        "pipeline": {"id": 77},
        "web_url": "https://gitlab.com/acme/team/app/-/jobs/4",
    }
    head = "2024-05-22T12:12:34.123456Z 01O"
    trace = f"{head} push {token(4)[:9]}\n{head}+{token(4)[9:]}\n".encode()
    serve(
        gitlab,
        {
            f"{api}/jobs/4": job,
            f"{api}/jobs/4/trace": trace,
            f"{api}/pipelines/77/jobs?include_retried=true&per_page=100": [
                job,
                {**job, "id": 5, "erased_at": "2024-06-01"},
                {**job, "id": 6, "status": "manual"},
            ],
        },
    )
    (place,) = places(scanned(scanner, f"gitlab/{gitlab.name}/acme/team/app/jobs/4"))
    assert (place.run, place.job, place.link) == ("77", "deploy", job["web_url"])
    assert place.copies == (f"log:gitlab/{gitlab.name}/acme/team/app/jobs/4",)
    outcome = scanned(scanner, f"gitlab/{gitlab.name}/acme/team/app/-/pipelines/77")
    assert (outcome.secrets, outcome.incomplete) == ([token(4)], [])
    assert "was erased" in outcome.gaps[0].why


def test_jenkins_reads_a_build_and_all_of_a_folder(
    scanner: Scanner, host: Start, token: Token
) -> None:
    jenkins = host()
    tree = "tree=jobs[name],builds[number,url,building]{0,21}"
    build = {"number": 12, "url": "https://jenkins.example/job/team/job/app/12/", "building": False}
    serve(
        jenkins,
        {
            f"/job/team/api/json?{tree}": {"jobs": [{"name": "app"}]},
            f"/job/team/job/app/api/json?{tree}": {"builds": [build]},
            "/job/team/job/app/12/api/json?tree=number,url,building": build,
            "/job/team/job/app/12/consoleText": f"Started by x\ntoken {token(5)}\n".encode(),
        },
    )
    for target in ("job/team/job/app/12", "job/team"):
        outcome = scanned(scanner, f"jenkins/{jenkins.name}/{target}")
        (place,) = places(outcome)
        assert (place.path, place.run, place.job) == ("team/app/12", "12", "team/app")
        assert place.copies == (f"log:jenkins/{jenkins.name}/job/team/job/app/12",)
        assert outcome.incomplete == []


def test_buildkite_reads_the_jobs_that_ran(scanner: Scanner, host: Start, token: Token) -> None:
    buildkite = host()
    api = "/v2/organizations/acme/pipelines/app/builds"
    job = {"id": "j-1", "type": "script", "name": "test", "started_at": "x", "finished_at": "y"}
    log = f"\x1b_bk;t=1700000000000\x07~~~ Running tests\n\x1b_bk;t=1700000000001\x07{token(6)}\n"
    serve(
        buildkite,
        {
            f"{api}/3": {
                "number": 3,
                "jobs": [job, {"type": "waiter"}, {**job, "started_at": None}],
            },
            f"{api}/3/jobs/j-1/log.txt": log.encode(),
        },
    )
    outcome = scanned(scanner, f"buildkite/{buildkite.name}/acme/app/builds/3")
    (place,) = places(outcome)
    assert (place.run, place.job, place.step) == ("3", "test", "Running tests")
    assert place.copies == (f"log:buildkite/{buildkite.name}/acme/app/builds/3/jobs/j-1",)
    assert scanned(scanner, place.copies[0].removeprefix("log:")).secrets == outcome.secrets
    assert scanned(scanner, f"{place.copies[0][4:]}x").secrets == []
    assert outcome.matches[0].finding.span.line == 2


def test_circleci_reads_what_each_step_prints(scanner: Scanner, host: Start, token: Token) -> None:
    circle = host()
    api = "/api/v1.1/project/gh/acme/app"
    action = {"output_url": f"{circle.url}/output/1"}
    serve(
        circle,
        {
            f"{api}/9": {
                "build_url": "https://circleci.com/gh/acme/app/9",
                "workflows": {"job_name": "test"},
                "steps": [{"name": "Run tests", "actions": [action, {"output_url": None}]}],
            },
            "/output/1": [{"message": f"one\r\ntoken {token(7)[:20]}"}, {"message": token(7)[20:]}],
        },
    )
    outcome = scanned(scanner, f"circleci/{circle.name}/gh/acme/app/9")
    (place,) = places(outcome)
    assert (place.job, place.step, outcome.secrets) == ("test", "Run tests", [token(7)])
    assert place.copies == (f"log:circleci/{circle.name}/gh/acme/app/9",)


@pytest.mark.parametrize(
    "target",
    ["github/acme", "buildkite/acme", "circleci/gh", "codebuild/eu-west-1", "travis/acme/app"],
)
def test_a_target_that_names_no_log_is_a_users_mistake(scanner: Scanner, target: str) -> None:
    with pytest.raises(UsageError):
        scanned(scanner, target)


@pytest.mark.parametrize("listed", [{"total_count": 5, "jobs": [JOB]}, {"jobs": [JOB, "more"]}])
def test_a_list_that_is_not_all_there_is_makes_the_scan_incomplete(
    scanner: Scanner, host: Start, listed: object
) -> None:
    github = host()
    jobs = f"{ACTIONS}/runs/123/jobs?filter=all&per_page=100"
    artifacts: Pages = {f"{ACTIONS}/runs/123/artifacts?per_page=100": {"artifacts": []}}
    serve(github, {jobs: listed, f"{ACTIONS}/jobs/7/logs": b"hello\n", **artifacts})
    (gap,) = scanned(scanner, f"github/{github.name}/acme/app/runs/123").incomplete
    assert "lists 1 of 5" in gap.why or "no list" in gap.why


def test_what_circleci_has_cut_is_said(scanner: Scanner, host: Start) -> None:
    circle = host()
    action = {"output_url": f"{circle.url}/output/1", "truncated": True}
    job = {"steps": [{"name": "Run", "actions": [action]}]}
    serve(circle, {"/api/v1.1/project/gh/acme/app/9": job, "/output/1": [{"message": "hi"}]})
    (gap,) = scanned(scanner, f"circleci/{circle.name}/gh/acme/app/9").incomplete
    assert "cut by CircleCI" in gap.why

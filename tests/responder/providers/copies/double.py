"""Keepers of logs as their documentation has them, over real HTTP, with one log each.

What differs among them is the table of a class; what a case needs (a refusal, a promise that is
not kept) is switched on the instance.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from urllib.parse import unquote

from tests.scanner.sources.http.conftest import Host, reply


@dataclass
class Keeper:
    """``refuses``: the status of every deletion; ``lies``: it answers well and does nothing."""

    host: Host
    log: bytes
    there: bool = True
    running: bool = False
    hidden: bool = False  # from the token, with all around it
    refuses: int = 0
    lies: bool = False
    more: dict[str, str] = field(default_factory=dict)  # headers of a refusal
    deletions: list[str] = field(default_factory=list)

    name = ""
    path = ""  # of the target, behind the host
    removal = ("", "", 204)  # method, path, status of the answer

    def __post_init__(self) -> None:
        self.host.answer = self

    @property
    def target(self) -> str:
        return f"log:{self.name}/{self.host.name}/{self.path}"

    def __call__(self, asked: BaseHTTPRequestHandler) -> None:
        path = unquote(asked.path)
        method, removal, status = self.removal
        if asked.command == method and path == removal:
            self._remove(asked, status)
        elif self.hidden:
            reply(asked, 404)
        else:
            self._show(asked, path)

    def _remove(self, asked: BaseHTTPRequestHandler, status: int) -> None:
        if self.refuses:
            reply(asked, self.refuses, **self.more)
            return
        self.deletions.append(asked.path)
        if not self.there:
            reply(asked, 404)
            return
        self.there = self.lies
        reply(asked, status, b"", location=f"{self.host.url}/elsewhere")

    def _show(self, asked: BaseHTTPRequestHandler, path: str) -> None:
        page = self.pages().get(path)
        if page is None:
            reply(asked, 404)
        elif isinstance(page, bytes):
            reply(asked, 200, page)
        else:
            reply(asked, 200, json.dumps(page).encode())

    def pages(self) -> dict[str, object]:
        """What there is to see now; bytes are logs."""
        raise NotImplementedError


class Github(Keeper):
    name, path = "github", "acme/app/runs/5"
    _api = "/api/v3/repos/acme/app/actions"
    removal = ("DELETE", f"{_api}/runs/5/logs", 204)

    def pages(self) -> dict[str, object]:
        status = "in_progress" if self.running else "completed"
        job = {"id": 7, "run_id": 5, "run_attempt": 2, "name": "build", "status": "completed"}
        logs = (f"{self._api}/runs/5/attempts/2/logs", f"{self._api}/jobs/7/logs")
        return {
            "/api/v3/repos/acme/app": {"name": "app"},
            f"{self._api}/runs/5": {"id": 5, "status": status, "run_attempt": 2},
            f"{self._api}/runs/5/jobs?filter=all&per_page=100": {"jobs": [job]},
            f"{self._api}/runs/5/artifacts?per_page=100": {"artifacts": []},
            **(dict.fromkeys(logs, self.log) if self.there else {}),
        }


class Gitlab(Keeper):
    name, path = "gitlab", "acme/team/app/jobs/4"
    _api = "/api/v4/projects/acme/team/app/jobs/4"
    removal = ("POST", f"{_api}/erase", 201)

    def pages(self) -> dict[str, object]:
        job = {"id": 4, "name": "deploy", "status": "running" if self.running else "failed"}
        if not self.running:
            job["finished_at"] = "2024-05-06T07:08:09Z"
        if not self.there:
            job["erased_at"] = "2024-05-06T08:00:00Z"
        project = {"/api/v4/projects/acme/team/app": {"name": "app"}}
        return {**project, self._api: job, f"{self._api}/trace": self.log if self.there else b""}


class Jenkins(Keeper):
    name, path = "jenkins", "job/team/job/app/12"
    removal = ("POST", "/job/team/job/app/12/doDelete", 302)
    kept = False

    def pages(self) -> dict[str, object]:
        around: dict[str, object] = {"/job/team/job/app/api/json?tree=name": {"name": "app"}}
        if not self.there:
            return around
        build = {"number": 12, "url": "x", "building": self.running, "keepLog": self.kept}
        return around | {
            "/job/team/job/app/12/api/json?tree=number,url,building": build,
            "/job/team/job/app/12/api/json?tree=number,building,keepLog": build,
            "/job/team/job/app/12/consoleText": self.log,
        }


class Buildkite(Keeper):
    name, path = "buildkite", "acme/app/builds/3/jobs/j-1"
    _api = "/v2/organizations/acme/pipelines/app/builds/3"
    removal = ("DELETE", f"{_api}/jobs/j-1/log", 204)

    def pages(self) -> dict[str, object]:
        job = {"id": "j-1", "type": "script", "name": "test", "started_at": "x"}
        if not self.running:
            job["finished_at"] = "y"
        log = {f"{self._api}/jobs/j-1/log.txt": self.log} if self.there else {}
        around = {"/v2/organizations/acme/pipelines/app": {"name": "app"}}
        return {**around, self._api: {"number": 3, "jobs": [job]}, **log}


KEEPERS = (Github, Gitlab, Jenkins, Buildkite)

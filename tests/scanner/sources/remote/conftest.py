from __future__ import annotations

import base64
import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest

from tests.scanner.sources.http.conftest import reply


@dataclass
class GitHost:
    """Git over HTTP by git's own server, and JSON beside it, on this machine."""

    root: Path
    port: int = 0
    password: str = ""
    pages: dict[str, object] = field(default_factory=dict)
    links: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    bytes_sent: int = 0

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, repository: str) -> str:
        return f"http://{self.name}/{repository}.git"

    def repository(self, name: str) -> Path:
        """A bare one, which serves what is asked for."""
        place = self.root / f"{name}.git"
        git(self.root, "init", "--quiet", "--bare", "--initial-branch=main", str(place))
        git(place, "config", "uploadpack.allowAnySHA1InWant", "true")
        return place

    def push(self, name: str, files: dict[str, str], ref: str = "refs/heads/main") -> None:
        """One more commit on a ref, with these files and no others."""
        place = self.root / f"{name}.git"
        work = self.root / "work" / name
        if not work.exists():
            git(self.root, "clone", "--quiet", str(place), str(work))
        for path, text in files.items():
            (work / path).parent.mkdir(parents=True, exist_ok=True)
            (work / path).write_text(text)
        git(work, "add", "--all")
        git(work, "commit", "--quiet", "--message=more")
        git(work, "push", "--quiet", "origin", f"HEAD:{ref}")


def git(place: Path, *arguments: str) -> None:
    told = {
        **os.environ,
        **{f"GIT_{who}_NAME": "A" for who in ("AUTHOR", "COMMITTER")},
        **{f"GIT_{who}_EMAIL": "a@example.com" for who in ("AUTHOR", "COMMITTER")},
        "GIT_CONFIG_GLOBAL": os.devnull,
    }
    subprocess.run(["git", *arguments], cwd=place, env=told, check=True, capture_output=True)


@pytest.fixture
def git_host(tmp_path: Path) -> Iterator[Callable[[], GitHost]]:
    """Starts hosts."""
    with ExitStack() as stack:

        def start() -> GitHost:
            root = tmp_path / f"host{len(list(tmp_path.glob('host*')))}"
            root.mkdir()
            host = GitHost(root=root)

            class Handler(BaseHTTPRequestHandler):
                def do_GET(self) -> None:  # what http.server calls
                    answer(host, self)

                do_POST = do_GET  # noqa: N815  # as above

                def log_message(self, *_: object) -> None:
                    pass

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            server.daemon_threads = True
            host.port = server.server_port
            Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            stack.callback(server.shutdown)
            return host

        yield start


def answer(host: GitHost, asked: BaseHTTPRequestHandler) -> None:
    given = asked.headers.get("authorization")
    host.asked.append((asked.path, given))
    if asked.path in host.pages:
        page = host.pages[asked.path]
        if isinstance(page, int):
            reply(asked, page, b"")
        else:
            links = {"link": host.links[asked.path]} if asked.path in host.links else {}
            reply(asked, 200, json.dumps(page).encode(), **links)
    elif host.password and (given is None or _password(given) != host.password):
        reply(asked, 401, b"", www_authenticate='Basic realm="git"')
    else:
        _served(host, asked)


def _password(given: str) -> str:
    return base64.b64decode(given.partition(" ")[2]).decode().partition(":")[2]


def _served(host: GitHost, asked: BaseHTTPRequestHandler) -> None:
    """What `git http-backend` says, by CGI (RFC 3875)."""
    parts = urlsplit(asked.path)
    told = {
        **os.environ,
        "GIT_PROJECT_ROOT": str(host.root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "REQUEST_METHOD": asked.command,
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "CONTENT_TYPE": asked.headers.get("content-type", ""),
        "CONTENT_LENGTH": asked.headers.get("content-length", ""),
        "HTTP_CONTENT_ENCODING": asked.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
    }
    body = asked.rfile.read(int(asked.headers.get("content-length") or 0))
    command = ["git", "http-backend"]
    done = subprocess.run(command, input=body, env=told, capture_output=True, check=True)
    head, _, content = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.decode().split(": ", 1) for line in head.split(b"\r\n") if line)
    status = int(headers.pop("Status", "200").split()[0])
    host.bytes_sent += len(content)
    headers.pop("Content-Length", None)
    reply(asked, status, content, **{k.replace("-", "_"): v for k, v in headers.items()})

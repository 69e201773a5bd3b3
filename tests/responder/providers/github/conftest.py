"""A GitHub on loopback over real HTTP: tokens that live, die late, or are hidden behind a limit."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest


@dataclass(slots=True, kw_only=True)
class GithubDouble:
    """``lives``: token to login and scopes. ``lag``: how many looks a revocation takes."""

    lives: dict[str, tuple[str, str]] = field(default_factory=dict)
    dying: dict[str, int] = field(default_factory=dict)
    lag: int = 0
    status: int | None = None  # what every request gets instead
    headers: dict[str, str] = field(default_factory=dict)
    enterprise: str = ""  # the token that a server of one's own wants to see
    asked: list[tuple[str, str, bool]] = field(default_factory=list)  # with Authorization?
    url: str = ""

    def answer(self, method: str, path: str, token: str, body: bytes) -> tuple[int, dict[str, str]]:
        self.asked.append((method, path, bool(token)))
        if self.status is not None:
            return self.status, {}
        if method == "POST" and path == "/credentials/revoke":
            return self._revoke(token, json.loads(body)["credentials"]), {}
        if method == "DELETE" and path == "/installation/token":
            known = token in self.lives
            self._kill(token)
            return (204 if known else 401), {}
        self._age(token)
        if token not in self.lives:
            return 401, {}
        login, scopes = self.lives[token]
        return 200, {"login": login, "scopes": scopes}

    def _revoke(self, token: str, wanted: list[str]) -> int:
        if token != self.enterprise:
            return 403  # github.com takes no token at all
        if self.enterprise and not all(t.startswith(("ghp_", "github_pat_")) for t in wanted):
            return 422
        for each in wanted:
            self._kill(each)
        return 202

    def _kill(self, token: str) -> None:
        if self.lag:
            self.dying.setdefault(token, self.lag)
        else:
            self.lives.pop(token, None)

    def _age(self, token: str) -> None:
        if token in self.dying:
            self.dying[token] -= 1
            if self.dying[token] <= 0:
                self.lives.pop(token, None)


class _Server(ThreadingHTTPServer):
    def __init__(self, double: GithubDouble) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.double = double


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_DELETE = do_GET  # noqa: N815  # what http.server calls them

    def _serve(self) -> None:
        assert isinstance(self.server, _Server)
        double = self.server.double
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        status, found = double.answer(self.command, self.path, token, body)
        shown: dict[str, object] = {"login": found["login"]} if found else {}
        if shown and self.path.startswith("/installation/"):
            shown = {"repositories": [{"owner": shown}]}
        said = json.dumps(shown).encode()
        self.send_response(status)
        if found:
            self.send_header("X-OAuth-Scopes", found["scopes"])
        for name, value in double.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *args: object) -> None:
        """Nothing: the requests hold tokens."""


@pytest.fixture
def github() -> Iterator[GithubDouble]:
    double = GithubDouble()
    server = _Server(double)
    double.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield double
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def make_token(plant: Callable[[str, str], str]) -> Callable[[str], str]:
    """A token of a kind, by its beginning."""

    def make(beginning: str) -> str:
        return plant("a GitHub token", beginning + secrets.token_hex(18))

    return make

"""A house that watches, and hosts that it watches: real git over HTTP, pages, and webhooks."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from httpx import Client

from stanch.responder.bootstrap import House, open_house
from stanch.responder.bootstrap.door import health
from stanch.responder.bootstrap.watching import hook_door, turns
from stanch.responder.config import load
from stanch.responder.domain.incident import Exposure, Incident
from stanch.responder.domain.watched import Source
from stanch.responder.web.app import make_web
from stanch.responder.web.guard import Door
from tests.responder.web.conftest import serving
from tests.scanner.conftest import github_token
from tests.scanner.sources.remote.conftest import GitHost, git_host

__all__ = ["git_host"]


@dataclass(slots=True, kw_only=True)
class Post:
    """A house whose configuration names what is watched."""

    house: House
    stack: ExitStack
    _web: Client | None = None

    @property
    def web(self) -> Client:
        """Its door for webhooks, over real HTTP."""
        if self._web is None:
            hooks = hook_door(self.house)
            assert hooks is not None
            app = make_web(None, health=health(self.house), door=Door(None), hooks=hooks.take)
            url = self.stack.enter_context(serving(app))
            self._web = self.stack.enter_context(Client(base_url=url, trust_env=False))
        return self._web

    def look(self) -> bool:
        """Look at all that is due; whether all was read."""
        return turns(self.house).once()

    def due(self, subject: str) -> None:
        """As if its time had come."""
        for source in self.sources():
            if source.subject == subject:
                with self.house.store.transaction() as tx:
                    tx.sources.save(source.noticed(tx.now()))

    def sources(self) -> tuple[Source, ...]:
        with self.house.store.snapshot() as tx:
            return tx.sources.list()

    def source(self, subject: str) -> Source:
        return next(each for each in self.sources() if each.subject == subject)

    def incidents(self) -> list[tuple[Incident, tuple[Exposure, ...]]]:
        with self.house.store.snapshot() as tx:
            return [(each, tx.incidents.exposures(each.id)) for each in tx.incidents.list()]

    def places(self) -> list[str]:
        """Where something was found, newest incident last."""
        return [
            f"{exposure.path}:{exposure.line}"
            for _, exposures in reversed(self.incidents())
            for exposure in exposures
        ]


Watches = Callable[..., Post]


@pytest.fixture
def watching(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Watches]:
    """Opens a house with these lines of configuration."""
    with ExitStack() as stack:

        def start(*lines: str) -> Post:
            home = tmp_path / "home"
            home.mkdir(mode=0o700, exist_ok=True)
            (home / "stanch.toml").write_text("\n".join(lines))
            monkeypatch.setenv("STANCH_HOME", str(home))
            house = stack.enter_context(open_house(load()))
            return Post(house=house, stack=stack)

        yield start


@pytest.fixture
def hook_secret(monkeypatch: pytest.MonkeyPatch) -> bytes:
    """The secret that we and the host hold, by the name of a variable."""
    value = secrets.token_hex(20)
    monkeypatch.setenv("HOOK_SECRET", value)
    return value.encode()


@pytest.fixture
def token() -> Callable[[int], str]:
    return github_token


def push_of(host: GitHost, name: str, at: str = "") -> bytes:
    """What GitHub and Gitea say of a push."""
    repository = {"full_name": name, "clone_url": host.url(name), "pushed_at": at}
    return json.dumps({"ref": "refs/heads/main", "repository": repository}).encode()

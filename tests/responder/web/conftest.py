"""A real store behind the pages, and incidents with hostile texts to show."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
import uvicorn
from httpx import Client
from starlette.types import ASGIApp

from stanch.responder.bootstrap import House, open_house
from stanch.responder.bootstrap.door import health, metrics, reading
from stanch.responder.config import load
from stanch.responder.domain.ids import IncidentId, SealedRef
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.web.app import make_web
from stanch.responder.web.guard import Door
from stanch.scanner.model.secret import SecretValue

NOW = datetime(2026, 11, 22, 14, 3, 12, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    home = str(tmp_path / "home")
    with open_house(load(environment={"STANCH_HOME": home})) as opened:
        yield opened


@pytest.fixture
def opened(house: House) -> Callable[[str], IncidentId]:
    """Opens an incident whose repository and path are called ``name``."""

    def make(name: str) -> IncidentId:
        with house.store.transaction() as tx:
            number = tx.incidents.next_id()
            tx.incidents.add(
                Incident(
                    id=number,
                    fingerprint=f"v1:{secrets.token_hex(16)}",
                    provider="acme",
                    kind="token",
                    preview="acme…7Q2M",
                    severity="high",
                    state=IncidentState.OPEN,
                    sealed=SealedRef("sealed:none"),
                    root=name,
                    detected_at=NOW,
                )
            )
            tx.incidents.expose(
                number,
                Exposure(
                    source="worktree",
                    path=name,
                    line=1,
                    column=1,
                    root=name,
                    commit=None,
                    author=name,
                    exposed_at=NOW,
                    found_at=NOW,
                    rule="acme-token",
                    reason="prefix",
                ),
            )
        return number

    return make


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """The application over real HTTP, at the URL that is given."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, lifespan="off", log_config=None, server_header=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            assert thread.is_alive()
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


@pytest.fixture
def token() -> str:
    return secrets.token_hex(16)


@pytest.fixture
def guarded(house: House, token: str) -> Iterator[Client]:
    """The pages behind a token."""
    door = Door(SecretValue(token.encode()))
    app = make_web(
        reading(house),
        health=health(house),
        door=door,
        hosts=("stanch.example",),
        metrics=metrics(house),
    )
    with serving(app) as url, Client(base_url=url, trust_env=False) as client:
        yield client


@pytest.fixture
def pages(guarded: Client, token: str) -> Client:
    """The same, for who holds the token."""
    guarded.headers["authorization"] = f"Bearer {token}"
    return guarded

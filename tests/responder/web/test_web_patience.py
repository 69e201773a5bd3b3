"""Who says nothing does not keep the door shut for others."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from stanch.responder.web import patience
from stanch.responder.web.patience import Patience


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[uvicorn.Server, int]]:
    monkeypatch.setattr(patience, "MOST", 20)
    monkeypatch.setattr(patience, "HEADER_SECONDS", 0.5)
    app = Starlette(routes=[Route("/healthz", lambda _: PlainTextResponse("ok"))])
    server = uvicorn.Server(uvicorn.Config(app, http=Patience, log_config=None, lifespan="off"))
    with socket.create_server(("127.0.0.1", 0), backlog=200) as listening:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield server, listening.getsockname()[1]
        server.should_exit = True
        thread.join(10)


def silent(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    return [
        stack.enter_context(socket.create_connection(("127.0.0.1", port))) for _ in range(count)
    ]


def test_a_crowd_of_silent_connections_leaves_room_for_a_request(
    door: tuple[uvicorn.Server, int],
) -> None:
    server, port = door
    with ExitStack() as stack:
        silent(stack, port, 60)
        assert httpx.get(f"http://127.0.0.1:{port}/healthz").text == "ok"
        assert len(server.server_state.connections) <= 21


def test_headers_that_never_end_are_waited_for_only_so_long(
    door: tuple[uvicorn.Server, int],
) -> None:
    _, port = door
    with ExitStack() as stack:
        (one,) = silent(stack, port, 1)
        one.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        one.settimeout(10)
        began = time.monotonic()
        assert one.recv(100) == b""
        assert time.monotonic() - began < 8

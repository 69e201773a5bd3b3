from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest


@dataclass
class Host:
    """A host on this machine that answers as it is told, and remembers who asked what."""

    server: ThreadingHTTPServer
    answer: Callable[[BaseHTTPRequestHandler], None] = lambda asked: reply(asked, 200, b"hello")
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"127.0.0.1:{self.server.server_port}"

    @property
    def url(self) -> str:
        return f"http://{self.name}"


def reply(asked: BaseHTTPRequestHandler, status: int, body: bytes = b"", /, **headers: str) -> None:
    asked.send_response(status)
    for name, value in {"content-length": str(len(body)), **headers}.items():
        asked.send_header(name.replace("_", "-"), value)
    asked.end_headers()
    asked.wfile.write(body)


@pytest.fixture
def host() -> Iterator[Callable[[], Host]]:
    """Starts hosts, each at a port of its own."""
    with ExitStack() as stack:

        def start() -> Host:
            class Handler(BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def do_GET(self) -> None:  # what http.server calls
                    made.asked.append((self.path, {k.lower(): v for k, v in self.headers.items()}))
                    made.answer(self)

                do_POST = do_DELETE = do_GET  # noqa: N815  # as above

                def log_message(self, *_: object) -> None:
                    pass

            server = stack.enter_context(ThreadingHTTPServer(("127.0.0.1", 0), Handler))
            server.daemon_threads = True
            made = Host(server=server)
            Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
            stack.callback(server.shutdown)
            return made

        yield start

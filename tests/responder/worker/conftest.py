"""A real broker, a real store and real `stanch worker` processes for one installation."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.responder.bootstrap import House, open_house
from stanch.responder.config import Settings, load
from stanch.responder.domain.ids import IncidentId, SealedRef
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.ports import Errand
from tests.responder.broker import Broker, serving, until


@pytest.fixture(scope="session")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with serving(tmp_path_factory.mktemp("broker")) as broker:
        yield broker


@pytest.fixture(name="until")
def _until() -> Callable[[Callable[[], bool], str], None]:
    return until


@pytest.fixture
def broker(_server: Broker) -> Broker:
    with _server.client() as client:
        client.flushall()
    return _server


@dataclass(slots=True, kw_only=True)
class Team:
    """One installation: a data directory, a configuration, and the processes started for it."""

    home: Path
    environment: dict[str, str]
    running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        return load(environment=self.environment)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Run a `stanch` command; what it logs goes to a file that `said` reads."""
        log = self.home / f"{len(self.running)}.log"
        with log.open("wb") as file, log.with_suffix(".out").open("wb") as out:
            process = subprocess.Popen(
                [sys.executable, "-m", "stanch", *arguments],
                cwd=self.home,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=file,
                start_new_session=True,
            )
        self.running.append(process)
        return process

    def said(self) -> str:
        return "".join(log.read_text() for log in sorted(self.home.glob("*.log")))

    def worker(self, *options: str) -> subprocess.Popen[bytes]:
        """A worker that takes messages already."""
        alive = self.home / f"alive-{len(self.running)}"
        process = self.start("worker", "--alive", str(alive), *options)
        until(lambda: alive.exists() or process.poll() is not None, "a worker that is ready")
        assert process.poll() is None, self.said()
        return process

    def stop(self) -> None:
        """Kill what a test left running, with its children."""
        for process in self.running:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


@pytest.fixture
def team(tmp_path: Path, broker: Broker) -> Iterator[Team]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    secret = home / "broker-password"
    secret.write_text(broker.password)
    (home / "stanch.toml").write_text(
        f'[broker]\nurl = "{broker.url}"\npassword = "file:{secret}"\n'
        "[worker]\nsweep_seconds = 0.5\nlease_seconds = 2.0\n"
    )
    inherited = {name: os.environ[name] for name in ("PATH", "XDG_CACHE_HOME")}
    team = Team(home=home, environment={**inherited, "STANCH_HOME": str(home)})
    yield team
    team.stop()


@pytest.fixture
def house(team: Team) -> Iterator[House]:
    with open_house(team.settings) as opened:
        yield opened


@pytest.fixture
def opened(house: House) -> Callable[[], IncidentId]:
    """Opens an incident without a runbook whose card waits to be shown; rings for nobody."""

    def make() -> IncidentId:
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
                    root="payments",
                    detected_at=datetime.now(UTC),
                )
            )
            tx.outbox.put(Errand.NOTIFY, str(number))
        return number

    return make


@pytest.fixture
def waiting(house: House) -> Callable[[], int]:
    """How many errands wait."""

    def count() -> int:
        with house.store.transaction() as tx:
            return len(tx.outbox.waiting(tx.now()))

    return count

"""The team set-up, whole: PostgreSQL, a broker, worker processes, a beat and the web door."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from stanch.responder.bootstrap import House
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.run import StepState
from stanch.responder.lab.proof import acts
from stanch.responder.lab.search import search
from stanch.responder.store.grant import READER, WRITER, Role, prepare
from tests.contracts.conftest import Server, postgres
from tests.responder.broker import Broker, serving, until
from tests.responder.worker.conftest import Team

__all__ = ["postgres"]  # the server that the store's contract runs on
pytestmark = [pytest.mark.xdist_group("postgres"), pytest.mark.timeout(300)]
SLOW = timedelta(seconds=3)  # until AWS refuses a disabled key: the worker dies in between
LK1 = IncidentId(1)
PATIENCE = 90.0  # six processes and three servers share what the machine has


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with serving(tmp_path_factory.mktemp("broker")) as running:
        yield running


@pytest.fixture
def team(desk: Any, broker: Broker, request: pytest.FixtureRequest) -> Iterator[Team]:
    """The desk's installation, with its truth and its doorbell on servers of their own."""
    server: Server = request.getfixturevalue("postgres")
    secret = desk.folder / "broker-password"
    secret.write_text(broker.password)
    roles = [Role(name="stanch", rights=WRITER), Role(name="stanch_web", rights=READER)]
    prepare(server.create("team"), roles)
    desk.configure(
        f'[store]\nurl = "{server.url("team", "stanch")}"\n'
        f'[broker]\nurl = "{broker.url}"\npassword = "file:{secret}"\n'
        # The workers do it all: the commands do not stand by.
        "[worker]\nsweep_seconds = 0.5\nlease_seconds = 2.0\nstandby_seconds = 600.0\n"
    )
    team = Team(home=desk.folder, environment=desk.environment)
    yield team
    team.stop()


@contextmanager
def settling(desk: Any) -> Iterator[None]:
    """IAM takes its time."""
    desk.world.lab.set_propagation(SLOW)
    try:
        yield
    finally:
        desk.world.lab.set_propagation(timedelta(0))


@pytest.mark.slow
def test_a_team_brings_a_leaked_key_to_proven_dead_although_a_worker_is_killed(
    desk: Any, team: Team, broker: Broker, request: pytest.FixtureRequest
) -> None:
    team.start("worker", "--beat")
    first = team.worker("--concurrency", "1")
    web = door(team, server=request.getfixturevalue("postgres"))
    with settling(desk):
        response = responding(desk)
        with desk.house() as house:  # opened once: the window is shorter than many openings
            until(lambda: asked(house), "containment that was asked for", patience=PATIENCE)
        os.killpg(first.pid, signal.SIGKILL)
        assert incident(desk).state is IncidentState.OPEN
        team.worker("--concurrency", "1")
        said, _ = response.communicate(timeout=PATIENCE)
    assert response.returncode == 0, said + team.said()
    assert "Decision wanted" in said
    assert desk.world.attacker.try_key() != "alive"
    assert desk.world.attacker.try_session() == "AccessDenied"

    desk.stanch("approve", "LK-1", "--as", "bob", "--yes", "--reason", "The new key works.")

    assert incident(desk).state is IncidentState.PROVEN_DEAD
    done = acts(desk.world.lab, since=desk.since)
    assert {name for name, times in done.items() if times != 1} <= {"iam:PutRolePolicy"}
    assert desk.world.consumer.work() == "alive"
    with desk.house() as house:  # a worker signs what it has just committed in a moment
        until(lambda: not house.casefiles.verdict()[0].tail, "anchors to the end")
    assert "sound, all anchored" in desk.stanch("audit", "verify")
    assert httpx.get(f"{web}/readyz", trust_env=False).status_code == 200
    assert "PROVEN DEAD" in httpx.get(web, trust_env=False).text.upper()
    assert "Traceback" not in team.said()
    server: Server = request.getfixturevalue("postgres")
    assert leaks(desk, server.home / "data", broker.home, desk.folder / "home") == ()


def door(team: Team, *, server: Server) -> str:
    """The web door's address: a process that holds no key, and reads as a role that reads."""
    whole = dict(team.environment)
    nowhere = {"VAULT_MASTER_KEY", "LEDGER_KEY", "LEDGER_SIGNING_KEY", "BROKER_PASSWORD"}
    team.environment.update({f"STANCH_{each}": "file:/nowhere" for each in nowhere})
    team.environment["STANCH_STORE_URL"] = server.url("team", "stanch_web")
    team.start("serve", "--door", "web", "--port", "0")
    team.environment.clear()
    team.environment.update(whole)
    line = re.compile(r"listening on (http://\S+)")
    until(lambda: line.search(team.said()) is not None, "a web door that listens")
    found = line.search(team.said())
    assert found is not None
    return found[1]


def responding(desk: Any) -> subprocess.Popen[str]:
    """`stanch respond`, which watches what the workers do."""
    return subprocess.Popen(
        [sys.executable, "-m", "stanch", "respond", "payments", "--as", "alice"],
        cwd=desk.folder,
        env=desk.environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def incident(desk: Any) -> Incident:
    with desk.house() as house, house.store.transaction() as tx:
        found: Incident = tx.incidents.get(LK1)
    return found


def asked(house: House) -> bool:
    """Containment was asked for and is not verified yet."""
    with house.store.transaction() as tx:
        found = tx.incidents.get(LK1)
        steps = [step for run in tx.runs.of(LK1) for step in tx.runs.steps(run.id)]
    verify = [step.state for step in steps if step.id == "verify-contained"]
    return (
        found is not None
        and found.containment_requested_at is not None
        and verify != [StepState.DONE]
    )


def leaks(desk: Any, *written: Path) -> tuple[Any, ...]:
    """Where the key or its secret stand in what the servers and we have written."""
    key = desk.world.leaked
    planted = {"the key id": key.access_key_id.encode(), "the secret": key.secret.encode()}
    result = search(written, planted)
    assert result.files > 100, "the search must see PostgreSQL's files"
    return tuple(result.hits)

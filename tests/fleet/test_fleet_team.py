"""A fleet on Celery workers and a real Redis: rings and workers are lost, and nothing else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from stanch.responder.bootstrap.fleet import open_fleet_store
from stanch.responder.domain.fleet import UnitState
from stanch.responder.lab.aws import AwsLab
from stanch.scanner.api import Match
from stanch.scanner.reports import jsonl
from tests.fleet.conftest import COUNT, Yard
from tests.responder.broker import Broker, serving, until
from tests.responder.worker.conftest import Team

pytestmark = pytest.mark.xdist_group("fleet-team")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    with serving(tmp_path_factory.mktemp("fleet-broker")) as running:
        yield running


@pytest.fixture
def team(yard: Yard, broker: Broker) -> Iterator[Team]:
    secret = yard.home / "broker-password"
    secret.write_text(broker.password)
    (yard.home / "stanch.toml").write_text(
        f'[broker]\nurl = "{broker.url}"\npassword = "file:{secret}"\n'
        "[worker]\nsweep_seconds = 0.5\nlease_seconds = 1.0\nstandby_seconds = 30.0\n"
    )
    with broker.client() as client:
        client.flushall()
    team = Team(home=yard.home, environment=yard.environment)
    yield team
    team.stop()


def scan(yard: Yard) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "stanch", "scan", "--fleet", str(yard.file)]
    command += ["--format", "jsonl"]
    return subprocess.Popen(
        command,
        env=yard.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_killed_workers_and_a_broker_that_forgets_lose_nothing_and_repeat_nothing(
    yard: Yard, team: Team, broker: Broker
) -> None:
    first = team.worker("--lane", "fleet", "--concurrency", "1")
    planner = scan(yard)
    assert planner.stdout is not None
    found = [planner.stdout.readline()]
    os.killpg(first.pid, signal.SIGKILL)
    with broker.client() as client:
        client.flushall()
    team.worker("--lane", "fleet", "--concurrency", "2")
    rest, said = planner.communicate(timeout=60)
    assert "this machine does" not in said
    assert planner.returncode == 1, said
    found += rest.splitlines(keepends=True)
    expected = [each.finding for each in yard.run() if isinstance(each, Match)]
    assert [line.rstrip("\n") for line in found] == list(map(jsonl.line, expected))
    assert len(found) == COUNT - 1


def test_where_no_worker_takes_anything_the_machine_does_it_itself(
    yard: Yard, team: Team, repositories: Path
) -> None:
    yard.write(f'targets = ["{repositories}/app1"]\n')
    settings = team.home / "stanch.toml"
    settings.write_text(settings.read_text().replace("= 30.0", "= 0.5"))
    planner = scan(yard)
    found, said = planner.communicate(timeout=60)
    assert planner.returncode == 1, said
    assert len(found.splitlines()) == 1
    assert "to have others: stanch worker --lane fleet" in said


def test_workers_go_on_without_a_planner(yard: Yard, team: Team) -> None:
    fleet = yard.plan().fleet  # and then the planner is gone, with all that it would have rung
    team.worker("--lane", "fleet", "--concurrency", "1")
    with open_fleet_store(yard.settings) as store:

        def over() -> bool:
            with store.snapshot() as tx:
                return tx.fleets.progress(fleet.id).states == {UnitState.DONE: COUNT}

        until(over, "a fleet that is read")


def test_a_fleet_is_read_by_workers_that_hear_of_it_by_sqs(yard: Yard) -> None:
    with AwsLab.start(propagation=timedelta(0)) as lab:
        port = lab.endpoint_url.rpartition(":")[2]
        (yard.home / "stanch.toml").write_text(
            f'[broker]\nurl = "sqs://127.0.0.1:{port}/"\n[worker]\nstandby_seconds = 30.0\n'
        )
        yard.environment |= {
            "AWS_ACCESS_KEY_ID": lab.admin.access_key_id,
            "AWS_SECRET_ACCESS_KEY": lab.admin.secret,
            "AWS_DEFAULT_REGION": lab.region,
        }
        team = Team(home=yard.home, environment=yard.environment)
        try:
            team.worker("--lane", "fleet", "--concurrency", "1")
            planner = scan(yard)
            found, said = planner.communicate(timeout=60)
        finally:
            team.stop()
    assert planner.returncode == 1, said
    assert len(found.splitlines()) == COUNT - 1
    assert "this machine does" not in said

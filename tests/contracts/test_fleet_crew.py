"""A fleet in every store: real processes, real repositories, and one that is killed."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from stanch.responder.config import load
from stanch.scanner.api import Match
from tests.fleet.conftest import COUNT, Yard, repositories

__all__ = ["repositories"]  # a fixture


def test_two_processes_read_a_fleet_and_one_is_killed(
    url: str, tmp_path: Path, repositories: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, file, mark = tmp_path / "home", tmp_path / "org.toml", tmp_path / "killed"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("STANCH_HOME", str(home))
    environment = {
        "STANCH_HOME": str(home),
        "STANCH_STORE_URL": url,
        "STANCH_WORKER_LEASE_SECONDS": "0.3",
    }
    file.write_text(f'targets = ["{repositories}/app*"]\n')
    settings = load(environment=environment)
    yard = Yard(home=home, file=file, environment=environment, settings=settings)

    def die_once(unit: str, boundary: str) -> None:
        if unit.endswith("app2") and boundary == "read" and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)

    found = [each.finding for each in yard.run(2, die_once) if isinstance(each, Match)]
    assert [each.path for each in found] == [
        f"{repositories}/app{number}/deploy/env.sh" for number in range(1, COUNT)
    ]
    assert yard.deaths == 1

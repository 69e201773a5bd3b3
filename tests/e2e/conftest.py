"""The product as a user has it: `stanch` as a process, a git repository, the lab's AWS."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.responder.bootstrap import House, open_house
from stanch.responder.config import load
from stanch.responder.lab.aws import AwsLab, World, seed
from stanch.responder.lab.repository import build, leaky_history

PEOPLE = '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'


@dataclass(slots=True, kw_only=True)
class Desk:
    """One installation with the world it guards."""

    folder: Path
    world: World
    environment: dict[str, str]
    since: int

    def stanch(self, *arguments: str, code: int = 0) -> str:
        """Run a command; what it said. Any other exit code than ``code`` fails the test."""
        done = subprocess.run(
            [sys.executable, "-m", "stanch", *arguments],
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert done.returncode == code, (
            f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    def configure(self, text: str) -> None:
        """Add to the configuration."""
        with (self.folder / "stanch.toml").open("a") as file:
            file.write(text)

    @contextmanager
    def house(self) -> Iterator[House]:
        """Look into the installation."""
        with open_house(load(environment=self.environment)) as house:
            yield house


@pytest.fixture(scope="session")
def lab() -> Iterator[AwsLab]:
    with AwsLab.start(propagation=timedelta(0)) as running:
        yield running


@pytest.fixture
def desk(lab: AwsLab, tmp_path: Path) -> Desk:
    """A leaked key in a repository's history, a thief with a session, and an empty installation."""
    lab.reset()
    world = seed(lab)
    world.attacker.mint()
    (tmp_path / "stanch.toml").write_text(
        f'[aws]\nendpoint_url = "{lab.endpoint_url}"\nregion = "{lab.region}"\n'
        f'regions = ["{lab.region}"]\ntrail_lag_seconds = 0\n{PEOPLE}'
    )
    history = leaky_history(world.leaked.access_key_id, world.leaked.secret)
    build(tmp_path / "payments", history, now=datetime.now(UTC))
    return Desk(
        folder=tmp_path,
        world=world,
        since=lab.calls()[-1]["seq"],
        environment={
            "PATH": os.environ["PATH"],
            "HOME": str(tmp_path),
            "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
            "STANCH_HOME": str(tmp_path / "home"),
            "STANCH_CONFIG": str(tmp_path / "stanch.toml"),
            "AWS_ACCESS_KEY_ID": lab.admin.access_key_id,
            "AWS_SECRET_ACCESS_KEY": lab.admin.secret,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        },
    )

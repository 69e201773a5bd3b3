"""Real repositories that hold real tokens, an installation, and fleets over them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest
import structlog

from stanch.responder.bootstrap.fleet import hands, open_fleet_store
from stanch.responder.config import Settings, load
from stanch.responder.domain.fleet import Fleet, FleetProgress, UnitRun, UnitState
from stanch.responder.fleet.crew import Crew
from stanch.responder.fleet.file import read
from stanch.responder.fleet.hand import Trace
from stanch.responder.fleet.plan import Planned, plan
from stanch.responder.fleet.scan import FleetScan
from stanch.scanner.api import Commission, Confidence, Gap, Match, ScanRequest
from stanch.scanner.local.fingerprint_key import load_fingerprint_key
from tests.scanner.conftest import Repo, github_token

COUNT = 6


class Silent:
    """Nobody looks."""

    def tell(self, progress: FleetProgress, seconds: float) -> None:
        pass

    def clear(self) -> None:
        pass


@pytest.fixture(scope="session")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of repositories, each with a token of its own in its history, and a clean one."""
    folder = tmp_path_factory.mktemp("repositories")
    for number in range(COUNT):
        place = folder / f"app{number}"
        place.mkdir()
        repo = Repo(path=place)
        repo.git("init", "-q", "-b", "main")
        if number:
            repo.commit("deploy/env.sh", f"T={github_token(number)}\n")
        repo.commit("deploy/env.sh", "T=\n")
    return folder


@dataclass(slots=True, kw_only=True)
class Yard:
    """One installation without any server, and a fleet's file."""

    home: Path
    file: Path
    environment: dict[str, str]
    settings: Settings
    deaths: int = 0
    brought: list[Match | Gap] = field(default_factory=list)

    def write(self, text: str) -> None:
        self.file.write_text(text)

    def plan(self) -> Planned:
        file = read(self.file)
        request = ScanRequest(targets=(str(self.file),), min_confidence=Confidence.MEDIUM)
        asked = Commission.of(request, self.file.parent, today=date(2026, 1, 1))
        basis = Commission.basis(load_fingerprint_key(None, self.home))
        with open_fleet_store(self.settings) as store:
            return plan(store, file, asked, basis)

    def run(self, workers: int = 1, trace: Trace | None = None) -> list[Match | Gap]:
        """Plan or go on, work, merge; what was found and what was not read."""
        fleet = self.plan().fleet
        opening = hands(self.settings, trace=trace or (lambda _unit, _boundary: None))
        crew = Crew(opening=opening, fleet=fleet.id, size=workers)
        with open_fleet_store(self.settings) as store, crew:
            scan = FleetScan(store, fleet, tend=crew.tend, by=Silent())
            results = list(scan.scan)
            scan.told()
        self.deaths += crew.deaths
        return results

    def units(self, fleet: Fleet) -> tuple[UnitRun, ...]:
        with open_fleet_store(self.settings) as store, store.snapshot() as tx:
            return tuple(unit for state in UnitState for unit in tx.fleets.units(fleet.id, state))


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with its keys and its store made, to copy."""
    home = tmp_path_factory.mktemp("fleet-home")
    (home / "stanch.toml").write_text("[worker]\nlease_seconds = 0.3\n")
    load_fingerprint_key(None, home)
    with open_fleet_store(load(environment={"STANCH_HOME": str(home)})):
        pass
    return home


@pytest.fixture
def yard(
    tmp_path: Path, template: Path, repositories: Path, monkeypatch: pytest.MonkeyPatch
) -> Yard:
    home = tmp_path / "home"
    shutil.copytree(template, home)
    home.chmod(0o700)
    monkeypatch.setenv("STANCH_HOME", str(home))  # where mirrors and histories are kept
    file = tmp_path / "org.toml"
    file.write_text(f'targets = ["{repositories}/app*"]\nlosses = 5\n')
    environment = {**os.environ, "STANCH_HOME": str(home), "PYTHONUTF8": "1"}
    settings = load(environment=environment)
    return Yard(home=home, file=file, environment=environment, settings=settings)


@pytest.fixture
def token() -> Callable[[int], str]:
    return github_token


@pytest.fixture
def logging() -> Iterator[None]:
    """What a command sets up for its process is as it was before."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)

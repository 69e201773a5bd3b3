"""A person at a terminal: a folder, a data directory, an AWS of their own, and real processes."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import sqlite3
import string
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

from stanch.responder.lab.aws import AwsLab, World, seed
from stanch.responder.lab.repository import build, leaky_history
from stanch.responder.ledger.seal import parse_ledger_seal
from stanch.responder.store.sql import SqlStore, open_store

_PATIENCE = 60.0  # seconds until a command that hangs fails its test


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def message(self) -> str:
        """The one message on standard error, without its remedy."""
        assert "Traceback" not in self.err, self.err
        first, _, remedy = self.err.partition("\n  help: ")
        assert first.startswith("error: "), self.err
        assert "stanch " in remedy, f"no command to type next: {self.err}"
        assert self.err.count("error: ") == 1, self.err
        return first.removeprefix("error: ")

    @property
    def remedy(self) -> str:
        """What the message says to do."""
        return self.err.partition("\n  help: ")[2].strip()


@dataclass(slots=True, kw_only=True)
class Desk:
    """Where the commands run. Nothing of the real user's environment is seen."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """The data directory."""
        return self.folder / "home"

    @property
    def database(self) -> Path:
        """The embedded store."""
        return self.home / "stanch.db"

    def configure(self, text: str) -> None:
        """Write ``stanch.toml``."""
        self.home.mkdir(mode=0o700, exist_ok=True)
        (self.home / "stanch.toml").write_text(text, encoding="utf-8")

    def stanch(self, *arguments: str, **environment: str) -> Done:
        """Run the real command in a process of its own, without a terminal."""
        done = subprocess.run(
            [sys.executable, "-m", "stanch", *arguments],
            cwd=self.folder,
            env={**self._base(), **self.environment, **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=_PATIENCE,
            check=False,
        )
        return Done(code=done.returncode, out=done.stdout, err=done.stderr)

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start the real command in a session of its own; the caller ends it."""
        return subprocess.Popen(
            [sys.executable, "-m", "stanch", *arguments],
            cwd=self.folder,
            env={**self._base(), **self.environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            encoding="utf-8",
            start_new_session=True,
        )

    def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Look at, or break, the store behind the product's back."""
        with closing(sqlite3.connect(self.database)) as connection, connection:
            return connection.execute(statement, values).fetchall()

    def opened(self) -> SqlStore:
        """The store, with its keys: for what only time would do."""
        seal = parse_ledger_seal(f"file:{self.home / 'ledger.key'}", environment={})
        return open_store(f"sqlite:///{self.database}", seal=seal)

    def _base(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
            "STANCH_HOME": str(self.home),
            "COLUMNS": "100",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
        }


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(folder=tmp_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """LK-1, contained and waiting for its approval; asked by alice, bob and eve may try."""

    folder: Path
    world: World
    environment: dict[str, str]


@pytest.fixture(scope="session")
def waiting(
    tmp_path_factory: pytest.TempPathFactory, leaky: Callable[[Path], None]
) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("waiting")
    with AwsLab.start() as lab:
        world = seed(lab)
        environment = {
            "AWS_ACCESS_KEY_ID": lab.admin.access_key_id,
            "AWS_SECRET_ACCESS_KEY": lab.admin.secret,
        }
        desk = Desk(folder=folder, environment=environment)
        desk.configure(
            f'[aws]\nendpoint_url = "{lab.endpoint_url}"\nregion = "{lab.region}"\n'
            f'regions = ["{lab.region}"]\ntrail_lag_seconds = 0\n'
            '[people.alice]\ngroups = ["security"]\n[people.bob]\ngroups = ["security"]\n'
            '[people.eve]\ngroups = ["marketing"]\n'
        )
        history = leaky_history(world.leaked.access_key_id, world.leaked.secret)
        leaky(build(folder / "payments", history, now=datetime.now(UTC)))
        done = desk.stanch("respond", "payments", "--as", "alice")
        assert done.code == 0, done.out + done.err
        yield Case(folder=folder, world=world, environment=environment)


@pytest.fixture
def case(waiting: Case, tmp_path: Path) -> Desk:
    """A desk of one's own with a copy of that incident; the AWS behind it is shared."""
    shutil.copytree(waiting.folder / "home", tmp_path / "home")
    return Desk(folder=tmp_path, environment=dict(waiting.environment))


@pytest.fixture
def leak(tmp_path: Path, plant: Callable[[str, str], str], leaky: Callable[[Path], None]) -> Path:
    """A repository that leaks an AWS key pair which no AWS knows."""
    # An access key id carries its account: 12 digits shifted into the base32 part.
    number = (123456789012 << 7 | 1 << 47).to_bytes(6, "big") + secrets.token_bytes(4)
    key_id = "AK" + "IA" + base64.b32encode(number).decode()
    alphabet = string.ascii_letters + string.digits + "/+"
    secret = "".join(secrets.choice(alphabet) for _ in range(40))
    history = leaky_history(plant("an access key id", key_id), plant("a secret key", secret))
    path = build(tmp_path / "payments", history, now=datetime.now(UTC))
    leaky(path)
    return path


def row(text: str) -> dict[str, object]:
    """One JSON line."""
    found: dict[str, object] = json.loads(text)
    return found

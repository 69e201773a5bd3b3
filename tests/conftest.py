"""The search at the end of every run: no planted value may have been written anywhere.

Tests register what they plant (``plant``) and the repositories that hold it on purpose
(``leaky``). When the run is over, everything below pytest's temporary folder and everything that is
new in the working tree is searched for every value in every form; a hit fails the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from stanch.responder.lab.search import Hit, search

_PLACE = "PLANTED_VALUES"  # environment: the folder of the registry, shared by all workers
_MIN_LENGTH = 12  # shorter values occur by chance
_WORLDS: list[Any] = []

# A busy machine is no defect: what must be quick is measured in processor time, by its own tests.
settings.register_profile("stanch", deadline=None)
settings.load_profile("stanch")


# What a test starts has a home of its own; the compiled rules, of no interest there, are shared.
os.environ.setdefault("XDG_CACHE_HOME", str(Path.home() / ".cache"))


def pytest_configure(config: pytest.Config) -> None:
    # A shell starts what it runs in the background with SIGINT ignored, and so would what we start.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if not hasattr(config, "workerinput"):
        os.environ[_PLACE] = tempfile.mkdtemp(prefix="stanch-planted-")


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(fixturedef: Any, request: Any) -> Generator[None, Any, Any]:
    """Every world of the lab that a fixture gives is planted, whoever made it."""
    del fixturedef, request
    value = yield
    module = sys.modules.get("stanch.responder.lab.aws.world")  # never imported for this
    if module is not None:
        for each in (value, getattr(value, "world", None)):
            if isinstance(each, module.World) and all(each is not known for known in _WORLDS):
                _WORLDS.append(each)
                _register("a leaked key id", each.leaked.access_key_id)
                _register("a leaked secret key", each.leaked.secret)
    return value


@pytest.hookimpl(tryfirst=True)  # while the fixtures still stand
def pytest_runtest_teardown() -> None:
    """What was born in the middle of a test: a thief's session, a replacement key."""
    for world in _WORLDS:
        for session in (world.attacker.session, world.attacker.role_session):
            if session is not None and session.token:
                _register("a session token", session.token)
    if _WORLDS:
        newest = _WORLDS[-1]
        with contextlib.suppress(Exception):  # its lab is gone, empty, or told to fail
            _register("the consumer's secret key", newest.consumer.key().secret)


@pytest.fixture(scope="session")
def plant() -> Callable[[str, str], str]:
    """Register a value (its name, the value) that must be found nowhere; gives the value back."""

    def register(name: str, value: str) -> str:
        assert len(value) >= _MIN_LENGTH, f"{name} is too short to be searched for"
        _register(name, value)
        return value

    return register


@pytest.fixture(scope="session")
def leaky() -> Callable[[Path], None]:
    """Exclude a file or folder that holds planted values on purpose."""

    def exclude(path: Path) -> None:
        _note("excluded", str(path.resolve()))

    return exclude


def pytest_sessionfinish(session: pytest.Session) -> None:
    if hasattr(session.config, "workerinput"):
        return  # the controller searches when every worker is done
    place = Path(os.environ[_PLACE])
    try:
        planted, excluded = _registered(place)
        if not planted:
            return
        factory: pytest.TempPathFactory = session.config._tmp_path_factory  # type: ignore[attr-defined]  # what xdist uses too
        roots = [factory.getbasetemp(), *_changed(session.config.rootpath)]
        result = search(roots, planted, without=excluded)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    reporter: Any = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line("")
        reporter.write_line(
            f"searched {result.files} files, {result.size / 1e6:.1f} MB, "
            f"for {len(planted)} planted values: {len(result.hits)} found"
        )
        for line in sorted(_shown(hit) for hit in result.hits):
            reporter.write_line(line, red=True)
    if result.hits:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """How many inputs the parsers and decoders were held against (``tests/properties``)."""
    tried = [
        value
        for report in terminalreporter.stats.get("passed", ())
        for name, value in report.user_properties
        if name == "fuzzed"
    ]
    if tried:
        terminalreporter.write_line(f"fuzzed with {sum(tried):,} inputs in {len(tried)} claims")


def _shown(hit: Hit) -> str:
    return f"PLANTED VALUE WRITTEN: {hit.planted} ({hit.form}) in {hit.path}"


def _register(name: str, value: str) -> None:
    _note("planted", f"{name}\0{value}")


def _note(kind: str, text: str) -> None:
    """One line in this process's own file of the registry, outside of all that is searched."""
    path = Path(os.environ[_PLACE]) / f"{os.getpid()}.jsonl"
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps([kind, text]) + "\n")


def _registered(place: Path) -> tuple[dict[str, bytes], tuple[Path, ...]]:
    """Planted values by a numbered name, and what is excluded."""
    values: dict[str, str] = {}
    excluded = []
    for path in sorted(place.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            kind, text = json.loads(line)
            if kind == "excluded":
                excluded.append(Path(text))
            else:
                name, _, value = text.partition("\0")
                values[value] = name
    planted = {
        f"{name} #{number}": value.encode() for number, (value, name) in enumerate(values.items())
    }
    return planted, tuple(excluded)


def _changed(root: Path) -> list[Path]:
    """What differs from the last commit, and the caches that the tools keep."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--modified", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        check=False,  # an unpacked archive has no repository and nothing to compare with
    )
    names = [name for name in os.fsdecode(listed.stdout).split("\0") if name]
    caches = [".hypothesis", ".pytest_cache"]
    return [path for name in (*names, *caches) if (path := root / name).exists()]

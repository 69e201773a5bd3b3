"""Repositories whose hooks run in a person's own environment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

Done = subprocess.CompletedProcess[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody with a home of his own, who runs programs for real."""

    home: Path
    extra: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.home),
            "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"],
            "STANCH_HOME": str(self.home / "stanch"),
            "PYTHONUTF8": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ann Example",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": "Ann Example",
            "GIT_COMMITTER_EMAIL": "ann@example.org",
        } | self.extra

    def run(self, *arguments: str | Path, cwd: Path, feed: str = "", **extra: str) -> Done:
        return subprocess.run(
            [*map(str, arguments)],
            cwd=cwd,
            input=feed,
            env=self.environment | extra,
            capture_output=True,
            text=True,
            check=False,
            timeout=100,
        )

    def git(self, *arguments: str | Path, cwd: Path) -> Done:
        return self.run("git", *arguments, cwd=cwd)

    def stanch(self, *arguments: str | Path, cwd: Path, feed: str = "", **extra: str) -> Done:
        program = Path(sys.executable).with_name("stanch")
        return self.run(program, *arguments, cwd=cwd, feed=feed, **extra)


@pytest.fixture
def ann(tmp_path_factory: pytest.TempPathFactory) -> Person:
    return Person(home=tmp_path_factory.mktemp("home"))


@pytest.fixture
def place(ann: Person, tmp_path: Path) -> Path:
    """A repository with one harmless commit."""
    path = tmp_path / "place"
    path.mkdir()
    assert ann.git("init", "-q", "-b", "main", cwd=path).returncode == 0
    (path / "README").write_text("hello\n")
    ann.git("add", ".", cwd=path)
    assert ann.git("commit", "-q", "-m", "begin", cwd=path).returncode == 0
    return path


@pytest.fixture
def hooked(ann: Person, place: Path) -> Callable[..., Path]:
    """The repository with hooks installed by the command."""

    def install(*kinds: str) -> Path:
        arguments = [word for kind in kinds for word in ("--type", kind)]
        done = ann.stanch("hook", "install", *arguments, cwd=place)
        assert done.returncode == 0, done.stderr
        return place

    return install

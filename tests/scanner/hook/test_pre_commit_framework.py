"""The framework itself, from its clone of this repository to a commit that it blocks."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]
ROOT = Path(__file__).parents[3]
_SHIPPED = ("stanch", "scanner", "responder", "runbooks", "pyproject.toml", "README.md", "LICENSE",
            ".pre-commit-hooks.yaml")  # fmt: skip


@pytest.fixture(scope="module")
def framework(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The command line of pre-commit, installed for these tests if it is not there."""
    if importlib.util.find_spec("pre_commit") is not None:
        return [sys.executable, "-m", "pre_commit"]
    folder = tmp_path_factory.mktemp("framework")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True, timeout=90)
    python = folder / "bin" / "python"
    done = subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "pre-commit==4.7.0"],
        check=False,
        capture_output=True,
        timeout=100,
    )
    if done.returncode != 0:
        pytest.skip("pre-commit can not be installed")
    return [str(python), "-m", "pre_commit"]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with what this one ships, as a user would name it under ``repo:``."""
    place = tmp_path_factory.mktemp("origin")
    for name in _SHIPPED:
        if (ROOT / name).is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(ROOT / name, place / name, ignore=ignored, symlinks=True)
        else:
            shutil.copy(ROOT / name, place / name)
    for command in (["init", "-q", "-b", "main"], ["add", "-A"],
                    ["-c", "user.name=a", "-c", "user.email=a@example.org",
                     "commit", "-q", "-m", "all"], ["tag", "v1"]):  # fmt: skip
        subprocess.run(["git", *command], cwd=place, check=True)
    return place


@pytest.fixture
def working(ann: Any, framework: list[str]) -> Callable[..., Any]:
    """Run the framework in a home of its own.

    The hook's environment is installed from the clone for real; its dependencies, a hundred
    packages from the registry, are those of this test run.
    """
    purelib = str(Path(next(p for p in sys.path if p.endswith("site-packages"))))

    def run(*arguments: str, cwd: Path, program: Sequence[str] = framework) -> Any:
        return ann.run(
            *program,
            *arguments,
            cwd=cwd,
            PRE_COMMIT_HOME=str(ann.home / "pre-commit"),
            PIP_NO_DEPS="1",
            PIP_NO_BUILD_ISOLATION="0",
            PYTHONPATH=purelib,
            PATH=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        )

    return run


def _configured(place: Path, origin: Path, *hooks: str) -> None:
    lines = ["repos:", f"  - repo: {origin}", "    rev: v1", "    hooks:"]
    (place / ".pre-commit-config.yaml").write_text(
        "\n".join(lines + [f"      - id: {hook}" for hook in hooks]) + "\n"
    )


def test_the_framework_installs_the_hook_blocks_a_leak_and_lets_the_rest_pass(
    ann: Any, place: Path, origin: Path, working: Callable[..., Any], token: Token
) -> None:
    _configured(place, origin, "stanch", "stanch-staged")
    (place / "a.env").write_text(f"T={token(40)}\n")
    (place / "b.py").write_text("b = 1\n")
    ann.git("add", ".", cwd=place)
    done = working("run", cwd=place)
    assert done.returncode == 1, done.stdout + done.stderr
    assert done.stdout.count("exit code: 1") == 2, done.stdout
    assert done.stdout.count("a.env:1:3  critical  GitHub") == 2, done.stdout
    assert token(40) not in done.stdout + done.stderr
    (place / "a.env").write_text("T=\n")
    ann.git("add", ".", cwd=place)
    done = working("run", cwd=place)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("Passed") == 2


def test_git_runs_the_framework_and_no_commit_is_made(
    ann: Any, place: Path, origin: Path, working: Callable[..., Any], token: Token
) -> None:
    _configured(place, origin, "stanch-system", "stanch-message")
    done = working("install", "--hook-type", "pre-commit", "--hook-type", "commit-msg", cwd=place)
    assert done.returncode == 0, done.stdout
    (place / "a.env").write_text(f"T={token(41)}\n")
    ann.git("add", ".", cwd=place)
    done = working("commit", "-m", "a", cwd=place, program=["git"])
    assert done.returncode == 1
    assert "a.env:1:3  critical  GitHub" in done.stdout + done.stderr
    (place / "a.env").write_text("T=\n")
    ann.git("add", ".", cwd=place)
    done = working("commit", "-m", f"now {token(42)}", cwd=place, program=["git"])
    assert done.returncode == 1
    assert "commit message:1:5" in done.stdout + done.stderr
    assert ann.git("rev-list", "--count", "HEAD", cwd=place).stdout == "1\n"
    done = working("commit", "-m", "clean", cwd=place, program=["git"])
    assert done.returncode == 0, done.stderr

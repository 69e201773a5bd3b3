"""An installed hook begins before Python is ready for more, and nobody may notice."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.ruleset import load_builtin
from stanch.scanner.hook.install import script
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.secret import SecretValue

Token = Callable[[int], str]
_NOTES = """
import json, sys
with open({!r}, "w") as file:
    json.dump([sys.path, sys.prefix, sys.exec_prefix], file)
"""


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    """A person's own module that Python runs at every start; it writes down what it meets."""
    Engine(load_builtin(), FingerprintKey(SecretValue(b"\x07" * 32)))  # fills the cache
    folder = tmp_path / "own modules"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(_NOTES.format(str(tmp_path / "ran")))
    return {"PYTHONPATH": str(folder)}


@pytest.fixture
def staged(hooked: Callable[..., Path]) -> Path:
    """A repository with the hook, and a harmless file staged."""
    place = hooked("pre-commit")
    (place / "a.py").write_text("print('hello')\n")
    subprocess.run(["git", "add", "."], cwd=place, check=True)
    return place


def _run(ann: Any, place: Path, **extra: str) -> Any:
    return ann.run(place / ".git" / "hooks" / "pre-commit", cwd=place, **extra)


def test_what_python_does_at_every_start_is_made_up_for_before_the_whole_hook(
    ann: Any, staged: Path, own: dict[str, str], token: Token, tmp_path: Path
) -> None:
    ran = tmp_path / "ran"
    ann.run(sys.executable, "-P", "-c", "pass", cwd=staged, **own)
    usual = ran.read_text()
    ran.unlink()
    assert _run(ann, staged, **own).returncode == 0
    assert not ran.exists()
    (staged / "b.env").write_text(f"T={token(1)}\n")
    ann.git("add", ".", cwd=staged)
    done = _run(ann, staged, **own)
    assert done.returncode == 1
    assert "b.env:1:3  critical github" in done.stderr
    assert json.loads(ran.read_text()) == json.loads(usual)


@pytest.mark.parametrize("kept", [0, 1])
def test_packages_that_lie_elsewhere_by_now_are_found_in_the_usual_way(
    ann: Any, staged: Path, own: dict[str, str], token: Token, tmp_path: Path, kept: int
) -> None:
    """As after a move from one folder of packages to another, of both or of one of them."""
    hook = staged / ".git" / "hooks" / "pre-commit"
    text = hook.read_text()
    folders = shlex.split(text)[-3]
    assert all(Path(each).is_dir() for each in folders.split(":"))
    left = folders.split(":")[:kept]
    hook.write_text(text.replace(folders, ":".join([*left, str(tmp_path / "gone")])))
    done = _run(ann, staged, **own)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "ran").exists()
    (staged / "b.env").write_text(f"T={token(2)}\n")
    ann.git("add", ".", cwd=staged)
    done = _run(ann, staged)
    assert done.returncode == 1
    assert "b.env:1:3  critical github" in done.stderr


def test_a_hook_called_by_its_bare_name_runs_the_one_that_was_there_before(
    ann: Any, staged: Path
) -> None:
    folder = staged / ".git" / "hooks"
    before = folder / "pre-commit.before-stanch"
    before.write_text("#!/bin/sh\nexit 7\n")
    before.chmod(0o755)
    assert ann.run("sh", "pre-commit", cwd=folder).returncode == 7
    assert ann.run("sh", ".git/hooks/pre-commit", cwd=staged).returncode == 7


def test_folders_with_strange_names_are_no_code(tmp_path: Path) -> None:
    strange = tmp_path / "it's $(touch ran) `touch ran`"
    hook = script("pre-commit", str(strange / "python"))
    done = subprocess.run(["sh", "-c", hook], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"is gone" in done.stderr
    assert not (tmp_path / "ran").exists()

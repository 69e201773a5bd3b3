"""The slow digest of an accepted finding is computed once for an installation."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import FingerprintKey, SecretValue
from stanch.scanner.scan.digest_cache import Remembered
from stanch.scanner.suppression.digest import Digester, Recipe

Token = Callable[[int], str]
RECIPE = Recipe(salt="5a" * 16, memory=8_192, passes=2)
KEY = FingerprintKey(SecretValue(bytes(range(32))))
OTHER = FingerprintKey(SecretValue(bytes(32)))


def test_only_what_a_baseline_holds_is_kept_and_for_its_key_alone(tmp_path: Path) -> None:
    parts = {"value": SecretValue(b"hunter2-hunter2")}
    digest = RECIPE.digest("generic", "password", parts)
    Digester(RECIPE, memory=Remembered(KEY, tmp_path)).digest("generic", "password", parts)
    assert list(tmp_path.iterdir()) == []
    keen = Digester(RECIPE, memory=Remembered(KEY, tmp_path), worth={digest})
    assert keen.digest("generic", "password", parts) == digest
    (kept,) = tmp_path.iterdir()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert b"hunter2" not in kept.read_bytes()
    seen: list[str | None] = []

    class Watched(Remembered):
        def recall(self, recipe: Recipe, message: bytes) -> str | None:
            seen.append(super().recall(recipe, message))
            return seen[-1]

    for key in (KEY, OTHER):
        digester = Digester(RECIPE, memory=Watched(key, tmp_path), worth={digest})
        assert digester.digest("generic", "password", parts) == digest
    assert seen == [digest, None]


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\x00" * 99])
def test_a_broken_memory_is_made_anew(tmp_path: Path, damage: bytes) -> None:
    parts = {"value": SecretValue(b"hunter2-hunter2")}
    digest = RECIPE.digest("generic", "password", parts)
    memory = Remembered(KEY, tmp_path)
    memory.keep(RECIPE, b"message", digest)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    assert Remembered(KEY, tmp_path).recall(RECIPE, b"message") is None
    Remembered(KEY, tmp_path).keep(RECIPE, b"message", digest)
    assert Remembered(KEY, tmp_path).recall(RECIPE, b"message") == digest


def test_a_hook_that_meets_an_accepted_finding_again_computes_nothing(
    repo: Any, stanch: Any, tmp_path: Path, token: Token
) -> None:
    repo.commit("a.env", f"T={token(61)}\n")
    create = ("baseline", "create", "--reason", "old", "--expires", "90d", "--author", "ann")
    assert stanch(*create, cwd=repo.path).code == 0
    # Whether the library of the slow hash was loaded says whether it was computed.
    code = (
        "import os, sys; from pathlib import Path; from stanch.scanner.hook.main import run;"
        "code = run(['run', 'a.env'], os.environ, Path.cwd());"
        "print(code, 'cryptography' in sys.modules)"
    )
    environment = {"PATH": "/usr/bin:/bin", "STANCH_HOME": str(tmp_path / "home")}
    environment["XDG_CACHE_HOME"] = str(tmp_path / "cache")
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=repo.path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        for _ in range(2)
    ]
    assert runs == [["0", "True"], ["0", "False"]]

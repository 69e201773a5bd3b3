"""Allowlists count at every door: one's own at home, the target branch's in a pipeline."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]
ALLOW = '[[scan.allowlists]]\npaths = ["vendor/*"]\nreason = "third-party code"\n'


@pytest.fixture
def place(ann: Any, tmp_path: Path) -> Path:
    """A repository whose main branch allows what is in vendor/."""
    found = tmp_path / "place"
    found.mkdir()
    ann.git("init", "-q", "-b", "main", cwd=found)
    (found / "stanch.toml").write_text(ALLOW)
    _commit(ann, found, "allow")
    return found


def _commit(ann: Any, place: Path, message: str) -> None:
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", message, cwd=place)


def _leak(place: Path, folder: str, token: Token) -> None:
    (place / folder).mkdir(exist_ok=True)
    (place / folder / "a.env").write_text(f"T={token(1)}\n")


def test_scan_and_hook_hide_and_count_what_is_allowed(ann: Any, place: Path, token: Token) -> None:
    _leak(place, "vendor", token)
    ann.git("add", ".", cwd=place)
    done = ann.stanch("scan", ".", "--no-history", cwd=place)
    assert (done.returncode, "1 place suppressed" in done.stderr) == (0, True)
    done = ann.stanch(
        "scan", ".", "--no-history", "--show-suppressed", "--format", "jsonl", cwd=place
    )
    (row,) = map(json.loads, done.stdout.splitlines())
    assert row["suppressed"] == {"by": "allowlist", "reason": "third-party code"}
    done = ann.stanch("hook", "run", "--staged", cwd=place)
    assert (done.returncode, "1 accepted finding" in done.stderr) == (0, True)
    done = ann.stanch("scan", ".", "--no-history", "--trust", "none", cwd=place)
    assert done.returncode == 1


def test_ci_takes_the_allowlists_of_the_target_branch_alone(
    ann: Any, place: Path, token: Token
) -> None:
    ann.git("checkout", "-q", "-b", "change", cwd=place)
    _leak(place, "vendor", token)
    _commit(ann, place, "vendored")
    assert ann.stanch("ci", cwd=place).returncode == 0
    _leak(place, "src", token)
    (place / "stanch.toml").write_text(ALLOW.replace("vendor", "src"))
    _commit(ann, place, "allow oneself")
    assert ann.stanch("ci", cwd=place).returncode == 1
    assert ann.stanch("ci", "--exclude", "src/*", cwd=place).returncode == 0


def test_a_mistake_names_file_line_and_remedy(ann: Any, place: Path) -> None:
    (place / "stanch.toml").write_text("[scan]\n" + ALLOW.replace("reason", "because"))
    done = ann.stanch("scan", ".", cwd=place)
    assert done.returncode == 2
    assert "stanch.toml:2: allowlist 1: unknown key `because`" in done.stderr


def test_messages_of_a_change_are_checked(ann: Any, place: Path, token: Token) -> None:
    ann.git("checkout", "-q", "-b", "change", cwd=place)
    ann.git("commit", "-q", "--allow-empty", "-m", f"deploy\n\nwith {token(2)}", cwd=place)
    done = ann.stanch("ci", cwd=place)
    assert done.returncode == 1
    assert "commit message:3" in done.stderr


PLUGIN = """
import re
from detect_secrets.plugins.base import RegexBasedDetector

class AcmeDetector(RegexBasedDetector):
    secret_type = "Acme badge"
    denylist = [re.compile(r"acme-[0-9]{6}")]
"""


def test_a_plugin_of_detect_secrets_looks_at_every_door(
    ann: Any, place: Path, tmp_path: Path
) -> None:
    plugin = tmp_path / "acme_plugin.py"
    plugin.write_text(PLUGIN)
    ann.git("checkout", "-q", "-b", "change", cwd=place)
    (place / "a.txt").write_text("badge acme-123456\n")
    _commit(ann, place, "badge")
    for words in (("scan", ".", "--no-history"), ("ci",), ("hook", "run", "a.txt")):
        assert ann.stanch(*words, cwd=place).returncode == 0, words
        done = ann.stanch(*words, "--plugin", f"file://{plugin}", cwd=place)
        assert done.returncode == 1, (words, done.stderr)


def test_a_history_can_be_read_in_part(ann: Any, place: Path, token: Token) -> None:
    ann.git("checkout", "-q", "-b", "change", cwd=place)
    _leak(place, "src", token)
    _commit(ann, place, "leak")
    ann.git("checkout", "-q", "main", cwd=place)
    done = ann.stanch("scan", ".", "--branch", "main", cwd=place)
    assert (done.returncode, "only commits of main" in done.stderr) == (0, True)
    assert ann.stanch("scan", ".", "--branch", "change", cwd=place).returncode == 1
    assert ann.stanch("scan", ".", "--since", "2090-01-01", cwd=place).returncode == 0
    done = ann.stanch("scan", ".", "--branch", "nope", cwd=place)
    assert (done.returncode, "there is no branch nope" in done.stderr) == (2, True)

"""Rules that ``[scan] rules`` of ``stanch.toml`` names are looked with at every door."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from tests.scanner.own_rule import OWN_RULE

RULE = "acme-token"
TOKEN = generate("acme_{hex:32}", 1).decode()


@pytest.fixture
def configured(ann: Any, place: Path) -> Path:
    """A repository whose configuration names a rule of its own, and a leak that is staged."""
    (place / "rules").mkdir()
    (place / "rules" / "acme.yaml").write_text(OWN_RULE)
    (place / "stanch.toml").write_text('[scan]\nrules = ["rules"]\n')
    ann.git("add", ".", cwd=place)
    assert ann.git("commit", "-q", "-m", "rules", cwd=place).returncode == 0
    (place / "src").mkdir()
    (place / "src" / "a.txt").write_text(f"x {TOKEN}\n")
    ann.git("add", ".", cwd=place)
    return place


def scan(ann: Any, place: Path) -> Any:
    return ann.stanch("scan", "src", "--format", "jsonl", cwd=place)


def scan_stream(ann: Any, place: Path) -> Any:
    return ann.stanch("scan", "-", "--format", "jsonl", cwd=place, feed=TOKEN)


def run_on_files(ann: Any, place: Path) -> Any:
    return ann.stanch("hook", "run", "src/a.txt", cwd=place)


def pre_commit(ann: Any, place: Path) -> Any:
    return ann.stanch("hook", "pre-commit", cwd=place)


def commit_msg(ann: Any, place: Path) -> Any:
    (place / "message").write_text(f"use {TOKEN}\n")
    return ann.stanch("hook", "commit-msg", "message", cwd=place)


def pre_push(ann: Any, place: Path) -> Any:
    ann.git("commit", "-q", "-m", "leak", cwd=place)
    head = ann.git("rev-parse", "HEAD", cwd=place).stdout.strip()
    feed = f"refs/heads/main {head} refs/heads/main {'0' * 40}\n"
    return ann.stanch("hook", "pre-push", "origin", "url", cwd=place, feed=feed)


def ci(ann: Any, place: Path) -> Any:
    ann.git("commit", "-q", "-m", "leak", cwd=place)
    return ann.stanch("ci", "--report", "sarif=-", cwd=place)


def guard(ann: Any, place: Path) -> Any:
    return ann.stanch(
        "guard", "--trust", "tree", cwd=place, feed=json.dumps({"prompt": f"use {TOKEN}"})
    )


def baseline(ann: Any, place: Path) -> Any:
    create = ("baseline", "create", "--reason", "known", "--expires", "90d", "--author", "ann")
    assert ann.stanch(*create, cwd=place).returncode == 0
    return ann.stanch("baseline", "list", cwd=place)


@pytest.mark.parametrize(
    "door",
    [
        scan,
        scan_stream,
        run_on_files,
        pre_commit,
        commit_msg,
        pre_push,
        ci,
        guard,
        baseline,
    ],
)
def test_a_rule_of_the_repository_speaks_at_every_door(
    ann: Any, configured: Path, door: Callable[..., Any]
) -> None:
    done = door(ann, configured)
    assert RULE in done.stdout + done.stderr, done.stderr
    assert TOKEN not in done.stdout + done.stderr
    assert done.returncode == {guard: 2, baseline: 0}.get(door, 1)


def test_a_report_knows_what_an_own_rule_says(ann: Any, configured: Path) -> None:
    (rule,) = json.loads(ci(ann, configured).stdout)["runs"][0]["tool"]["driver"]["rules"]
    assert rule["help"]["text"] == "Revoke it."


def test_a_server_uses_the_rules_next_to_its_repositories(
    ann: Any, place: Path, tmp_path: Path
) -> None:
    bare = tmp_path / "server.git"
    ann.git("init", "-q", "--bare", "-b", "main", bare, cwd=tmp_path)
    assert ann.stanch("hook", "install", "--type", "pre-receive", cwd=bare).returncode == 0
    (tmp_path / "acme.yaml").write_text(OWN_RULE)
    (tmp_path / "stanch.toml").write_text('[scan]\nrules = ["acme.yaml"]\n')
    (place / "a.txt").write_text(f"x {TOKEN}\n")
    ann.git("add", ".", cwd=place)
    ann.git("commit", "-q", "-m", "leak", cwd=place)
    done = ann.git("push", f"file://{bare}", "main", cwd=place)
    assert done.returncode == 1
    assert RULE in done.stderr


def test_an_accepted_finding_of_an_own_rule_lets_the_commit_pass(
    ann: Any, configured: Path
) -> None:
    baseline(ann, configured)
    done = pre_commit(ann, configured)
    assert done.returncode == 0, done.stderr

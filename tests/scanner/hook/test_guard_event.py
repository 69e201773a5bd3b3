"""What an assistant may not slip past the guard: other keys, other ways to name a file, markers."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import FingerprintKey, SecretValue
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.hook.ai_event import Decision, judged
from stanch.scanner.hook.check import ChangeCheck
from stanch.scanner.scan.engine import ScanEngine

Token = Callable[[int], str]


@pytest.fixture(scope="module")
def door() -> ChangeCheck:
    return ChangeCheck(ScanEngine(load_builtin(), FingerprintKey(SecretValue(bytes(32)))))


@pytest.fixture
def decide(door: ChangeCheck, tmp_path: Path) -> Callable[[object], Decision]:
    def run(event: object) -> Decision:
        data = event if isinstance(event, bytes) else json.dumps(event).encode()
        return judged(data, door, tmp_path)

    return run


@pytest.mark.parametrize(
    "key", ["session_id", "cwd", "transcript_path", "tool_use_id", "hook_event_name", "api_token"]
)
@pytest.mark.parametrize("depth", [1, 3])
def test_a_key_hides_nothing_at_any_depth(
    decide: Callable[[object], Decision], token: Token, key: str, depth: int
) -> None:
    inner: object = {key: token(1)}
    for _ in range(depth):
        inner = {"tool_input": inner, "session_id": "x"}
    decision = decide(inner)
    assert decision.block
    assert token(1) not in decision.reason


def test_a_value_in_the_place_of_a_key_or_given_twice_is_seen(
    decide: Callable[[object], Decision], token: Token
) -> None:
    assert decide({"tool_input": {token(1): 1}}).block
    assert decide(f'{{"k": "{token(1)}", "k": 1}}'.encode()).block
    assert decide(f'{{"session_id": "{token(1)}", "session_id": "x"}}'.encode()).block


def test_what_an_event_says_about_itself_is_no_content(
    decide: Callable[[object], Decision], tmp_path: Path
) -> None:
    assert not decide({"session_id": "0" * 36, "cwd": str(tmp_path), "prompt": "hello"}).block


@pytest.mark.parametrize(
    "name",
    ["real.txt", "./real.txt", "{place}/real.txt", "file://{place}/real.txt", "~/real.txt",
     "file://localhost{place}/real.txt", "link.txt", "FILE://{place}/re%61l.txt"],
)  # fmt: skip
@pytest.mark.parametrize("key", ["file_path", "FILE_PATH", "filePaths"])
def test_a_file_is_found_however_it_is_named(
    decide: Callable[[object], Decision], tmp_path: Path, token: Token,
    monkeypatch: pytest.MonkeyPatch, name: str, key: str,
) -> None:  # fmt: skip
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "real.txt").write_text(f"k={token(1)}")
    (tmp_path / "link.txt").symlink_to("real.txt")
    path = name.format(place=tmp_path)
    decision = decide({"tool_input": {key: [path] if key == "filePaths" else path}})
    assert decision.block
    assert "github" in decision.reason


@pytest.mark.parametrize("name", ["pipe", "real.txt\0", "~nobody-here/x", "/dev/zero", "loop"])
def test_what_cannot_be_looked_at_is_blocked(
    decide: Callable[[object], Decision], tmp_path: Path, name: str
) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to("loop")
    assert decide({"tool_input": {"file_path": name}}).block


@pytest.mark.parametrize("name", ["gone.txt", ".", "https://example.org/x"])
def test_what_is_no_file_is_allowed(decide: Callable[[object], Decision], name: str) -> None:
    assert not decide({"tool_input": {"file_path": name}}).block


def test_neither_markers_nor_the_tree_speak_for_an_event(
    ann: Any, place: Path, token: Token
) -> None:
    (place / "a.txt").write_text(f"k={token(1)} # gitleaks:allow\n")
    (place / "b.txt").write_text(f"k={token(2)}\n")
    create = ("baseline", "create", "--reason", "mine", "--expires", "90d", "--author", "eve")
    assert ann.stanch(*create, cwd=place).returncode == 0
    command = f"curl -d k={token(3)} x # gitleaks:allow"
    for event in ({"command": command}, {"file_path": "a.txt"}, {"file_path": "b.txt"}):
        done = ann.stanch("guard", cwd=place, feed=json.dumps({"tool_input": event}))
        assert done.returncode == 2, event
        assert token(3) not in done.stdout + done.stderr


def test_a_configuration_that_is_wrong_blocks(ann: Any, place: Path) -> None:
    (place / "stanch.toml").write_text("[scan\n")
    done = ann.stanch("guard", "--trust", "tree", cwd=place, feed='{"prompt": "x"}')
    assert done.returncode == 2
    assert json.loads(done.stdout)["decision"] == "block"

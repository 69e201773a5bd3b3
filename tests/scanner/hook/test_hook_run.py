from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.hook.exclusions import PLUGINS

Token = Callable[[int], str]


def test_named_files_are_checked_as_they_are_on_disk(ann: Any, place: Path, token: Token) -> None:
    (place / "a.env").write_text(f"T={token(20)}\n")
    (place / "b.env").write_text("T=\n")
    done = ann.stanch("hook", "run", "--json", "a.env", "b.env", cwd=place)
    assert done.returncode == 1
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(row["path"], row["line"], row["source"]) for row in rows] == [("a.env", 1, "worktree")]
    assert ann.stanch("hook", "run", "b.env", cwd=place).returncode == 0
    assert ann.stanch("hook", "run", "gone.env", cwd=place).returncode == 3
    assert ann.stanch("hook", "run", "..", cwd=place).returncode == 2


@pytest.mark.parametrize(
    "arguments",
    [
        ("--exclude-files", r"^a\."),
        ("--exclude-lines", r"an\s+example"),
        ("--exclude-secrets", r"^gh"),
        ("--disable-plugin", "GitHubTokenDetector"),
    ],
)
def test_what_detect_secrets_hook_excludes_is_excluded(
    ann: Any, place: Path, token: Token, arguments: tuple[str, str]
) -> None:
    (place / "a.env").write_text(f"T={token(21)} # an example\n")
    assert ann.stanch("hook", "run", "--no-verify", "a.env", cwd=place).returncode == 1
    done = ann.stanch("hook", "run", *arguments, "a.env", cwd=place)
    assert done.returncode == 0, done.stderr


def test_a_plugin_without_a_counterpart_is_named_and_a_broken_pattern_refused(
    ann: Any, place: Path
) -> None:
    done = ann.stanch("hook", "run", "-p", "MyDetector", "README", cwd=place)
    assert done.returncode == 0
    assert "MyDetector" in done.stderr
    done = ann.stanch("hook", "run", "--exclude-files", "(", "README", cwd=place)
    assert done.returncode == 2
    assert "not a regular expression" in done.stderr


def test_a_baseline_of_detect_secrets_counts(ann: Any, place: Path, token: Token) -> None:
    (place / "a.env").write_text(f"T={token(22)}\n")
    sha1 = hashlib.sha1(token(22).encode(), usedforsecurity=False).hexdigest()
    entry = {"type": "GitHub Token", "filename": "a.env", "hashed_secret": sha1, "line_number": 1}
    text = json.dumps({"version": "1.5.0", "results": {"a.env": [entry]}})
    (place / ".secrets.baseline").write_text(text)
    done = ann.stanch("hook", "run", "--baseline", ".secrets.baseline", "a.env", cwd=place)
    assert done.returncode == 0, done.stderr
    (place / "a.env").write_text(f"T={token(23)}\n")
    done = ann.stanch("hook", "run", "--baseline", ".secrets.baseline", "a.env", cwd=place)
    assert done.returncode == 1


def test_a_configuration_near_the_change_is_read_and_its_mistakes_are_named(
    ann: Any, place: Path
) -> None:
    (place / "stanch.toml").write_text("[scan]\nrulez = []\n")
    done = ann.stanch("hook", "run", "README", cwd=place)
    assert done.returncode == 2
    assert "rulez" in done.stderr


def test_outside_of_a_repository_it_says_so(ann: Any, tmp_path: Path) -> None:
    done = ann.stanch("hook", "run", cwd=tmp_path)
    assert done.returncode == 2
    assert "not a git repository" in done.stderr


def test_a_commit_loads_no_command_line_library_and_nothing_heavy(ann: Any, place: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path; from stanch.scanner.hook.main import run\n"
        "assert run(['pre-commit'], os.environ, Path.cwd()) == 0\n"
        "print(*sys.modules)"
    )
    ann.stanch("hook", "run", cwd=place)  # fills the cache of compiled rules
    loaded = ann.run(sys.executable, "-P", "-c", code, cwd=place).stdout.split()
    heavy = {"click", "msgspec", "tempfile", "argparse",
             "rich", "yaml", "multiprocessing", "git", "detect_secrets",
             "cryptography", "responder", "asyncio", "http", "ssl"}  # fmt: skip
    assert heavy.isdisjoint(loaded), heavy.intersection(loaded)
    assert "hyperscan._hs_ext" in loaded


def _event(**fields: object) -> str:
    return json.dumps({"hook_event_name": "PreToolUse", **fields})


def test_an_assistant_may_not_send_a_file_with_a_token(ann: Any, place: Path, token: Token) -> None:
    (place / "a.env").write_text(f"T={token(24)}\n")
    event = _event(tool_name="Read", tool_input={"file_path": "a.env"})
    done = ann.stanch("guard", cwd=place, feed=event)
    assert done.returncode == 2
    answer = json.loads(done.stdout)
    assert answer["decision"] == "block"
    assert "a.env, line 1" in answer["reason"]
    assert answer["reason"] in done.stderr
    assert token(24) not in done.stdout + done.stderr


def test_an_assistant_is_not_shown_a_token_and_is_shown_the_rest(
    ann: Any, place: Path, token: Token
) -> None:
    shown = {"stdout": f"line\nT={token(25)}\n", "exit": 0}
    done = ann.stanch("guard", cwd=place, feed=_event(tool_response=shown))
    assert done.returncode == 2
    assert token(25) not in done.stdout + done.stderr
    done = ann.stanch("guard", cwd=place, feed=_event(tool_response={"stdout": "hello"}))
    assert (done.returncode, json.loads(done.stdout)["decision"]) == (0, "allow")


@pytest.mark.parametrize(
    "event", ["", "[]", "nonsense", "[" * 9000, '{"a":' * 500 + "1" + "}" * 500]
)
def test_an_event_that_is_not_understood_is_not_allowed(ann: Any, place: Path, event: str) -> None:
    done = ann.stanch("guard", cwd=place, feed=event)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_every_plugin_that_can_be_disabled_stands_for_rules_that_are_there() -> None:
    known = {rule.provider for rule in load_builtin()}
    assert {each for names in PLUGINS.values() for each in names} <= known

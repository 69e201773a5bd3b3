"""Nobody lets his own change in: what is accepted is what the target branch has accepted."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]

_AUTHOR = ("--author", "ann")
_TAKEN = ("--reason", "known", "--expires", "90d", *_AUTHOR)


def commit(ann: Any, place: Path, message: str) -> None:
    ann.git("add", "-A", ".", cwd=place)
    assert ann.git("commit", "-q", "-m", message, cwd=place).returncode == 0


def accept(ann: Any, place: Path, *options: str) -> None:
    """Accept all that is in the working tree, as `baseline add` does."""
    done = ann.stanch("baseline", "add", "--all", "--no-history", *_TAKEN, *options, cwd=place)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def leak(ann: Any, place: Path, token: Token) -> Path:
    """A branch that leaks a token, on a main that knows nothing of it."""
    ann.git("checkout", "-q", "-b", "topic", cwd=place)
    (place / "new.env").write_text(f"T={token(51)}\n")
    commit(ann, place, "leak")
    return place


@pytest.fixture
def waived(ann: Any, leak: Path) -> Path:
    """The same branch, which also accepts what it leaks."""
    accept(ann, leak)
    commit(ann, leak, "waive")
    return leak


def test_a_change_cannot_waive_its_own_finding(ann: Any, waived: Path) -> None:
    done = ann.stanch("ci", cwd=waived)
    assert done.returncode == 1
    assert "not accepted: this change itself adds the waiver" in done.stderr
    assert "accept it on main" in done.stderr
    commands = [line.strip() for line in done.stderr.splitlines() if line.startswith(" " * 8)]
    assert commands[0] == "git switch main", "nothing is fetched where there is no remote"
    assert commands[1].startswith("stanch baseline add ")
    assert "git push" not in commands
    ann.git("update-ref", "refs/remotes/origin/main", "main", cwd=waived)
    done = ann.stanch("ci", cwd=waived)
    commands = [line.strip() for line in done.stderr.splitlines() if line.startswith(" " * 8)]
    assert commands[:3] == ["git fetch origin", "git switch main", "git pull"]
    assert commands[3].startswith("stanch baseline add ")
    assert commands[-1] == "git push"


def test_a_marker_of_the_change_does_not_count_either(ann: Any, leak: Path, token: Token) -> None:
    (leak / "new.env").write_text(f"T={token(51)} # stanch: allow it is mine\n")
    commit(ann, leak, "mark")
    done = ann.stanch("ci", "--base", "topic~1", cwd=leak)
    assert done.returncode == 0, "it was there before"
    done = ann.stanch("ci", "--report", "jsonl=-", cwd=leak)
    assert done.returncode == 1
    assert "a marker is written by the author" in done.stderr


def test_what_the_target_branch_accepts_passes_also_later(ann: Any, leak: Path) -> None:
    """Somebody with the right accepts it on main; the branch stays as it was."""
    accept(ann, leak)
    text = (leak / ".stanch-baseline").read_text()
    (leak / ".stanch-baseline").unlink()
    (leak / ".gitattributes").unlink()
    ann.git("checkout", "-q", "main", cwd=leak)
    (leak / ".stanch-baseline").write_text(text)
    commit(ann, leak, "accept")
    ann.git("checkout", "-q", "topic", cwd=leak)
    done = ann.stanch("ci", cwd=leak)
    assert done.returncode == 0, done.stderr
    assert "1 accepted finding let through" in done.stderr


def test_the_team_may_let_changes_speak_for_themselves(ann: Any, waived: Path) -> None:
    assert ann.stanch("ci", "--waivers", "head", cwd=waived).returncode == 0
    assert ann.stanch("ci", cwd=waived, STANCH_CI_WAIVERS="head").returncode == 0
    assert ann.stanch("ci", cwd=waived, STANCH_CI_WAIVERS="me").returncode == 2
    ann.git("checkout", "-q", "main", cwd=waived)
    (waived / "stanch.toml").write_text('[ci]\nwaivers = "head"\n')
    commit(ann, waived, "trust")
    ann.git("checkout", "-q", "topic", cwd=waived)
    assert ann.stanch("ci", cwd=waived).returncode == 0
    assert ann.stanch("ci", cwd=waived, STANCH_CI_WAIVERS="base").returncode == 1


def test_a_change_cannot_give_itself_the_right(ann: Any, waived: Path) -> None:
    (waived / "stanch.toml").write_text('[ci]\nwaivers = "head"\n')
    commit(ann, waived, "trust me")
    assert ann.stanch("ci", cwd=waived).returncode == 1


@pytest.mark.parametrize("text", ["[ci]\nwaiver = 1\n", '[ci]\nwaivers = "x"\n', "[ci", "ci = 1"])
def test_a_mistake_in_the_target_s_configuration_is_an_error(
    ann: Any, waived: Path, text: str
) -> None:
    ann.git("checkout", "-q", "main", cwd=waived)
    (waived / "stanch.toml").write_text(text)
    commit(ann, waived, "slip")
    ann.git("checkout", "-q", "topic", cwd=waived)
    done = ann.stanch("ci", cwd=waived)
    assert done.returncode == 2
    assert "stanch.toml" in done.stderr


def test_a_change_cannot_prolong_what_has_ended(ann: Any, place: Path, token: Token) -> None:
    (place / "old.env").write_text(f"T={token(52)}\n")
    accept(ann, place)
    kept = place / ".stanch-baseline"
    kept.write_text(re.sub(r'"expires":"[^"]*"', '"expires":"2020-01-01"', kept.read_text()))
    (place / "old.env").unlink()
    commit(ann, place, "accepted for a while")
    ann.git("checkout", "-q", "-b", "topic", cwd=place)
    (place / "new.env").write_text(f"T={token(52)}\n")
    accept(ann, place)
    commit(ann, place, "prolong")
    done = ann.stanch("ci", cwd=place)
    assert done.returncode == 1
    assert ann.stanch("ci", "--waivers", "head", cwd=place).returncode == 0


def test_what_has_been_merged_has_been_let_in(ann: Any, waived: Path) -> None:
    """The pipeline of the default branch does not block what a person has merged."""
    ann.git("checkout", "-q", "main", cwd=waived)
    ann.git("merge", "-q", "topic", cwd=waived)
    before = ann.git("rev-parse", "main~2", cwd=waived).stdout.strip()
    gitlab = {"GITLAB_CI": "true", "CI_COMMIT_BEFORE_SHA": before}
    done = ann.stanch("ci", cwd=waived, **gitlab)
    assert done.returncode == 0, done.stderr
    assert "let through" in done.stderr


def test_a_second_push_to_a_branch_does_not_inherit_what_the_first_waived(
    ann: Any, place: Path, token: Token
) -> None:
    ann.git("checkout", "-q", "-b", "topic", cwd=place)
    (place / "new.env").write_text(f"T={token(53)}\n")
    accept(ann, place)
    (place / "new.env").unlink()
    commit(ann, place, "only the waiver")
    before = ann.git("rev-parse", "HEAD", cwd=place).stdout.strip()
    (place / "new.env").write_text(f"T={token(53)}\n")
    commit(ann, place, "the leak")
    event = place.parent / "event.json"
    event.write_text(json.dumps({"before": before, "repository": {"default_branch": "main"}}))
    github = {"GITHUB_ACTIONS": "true", "GITHUB_EVENT_PATH": str(event)}
    assert ann.stanch("ci", cwd=place, **github).returncode == 1


def test_a_named_baseline_is_read_from_the_target_unless_it_lies_elsewhere(
    ann: Any, waived: Path
) -> None:
    named = ("ci", "--baseline", ".stanch-baseline")
    assert ann.stanch(*named, cwd=waived).returncode == 1
    outside = waived.parent / "of-the-pipeline"
    outside.write_text((waived / ".stanch-baseline").read_text())
    done = ann.stanch("ci", "--baseline", str(outside), cwd=waived)
    assert done.returncode == 0, done.stderr


def test_a_baseline_of_detect_secrets_is_judged_in_the_same_way(
    ann: Any, leak: Path, token: Token
) -> None:
    sha1 = hashlib.sha1(token(51).encode(), usedforsecurity=False).hexdigest()
    entry = {"type": "GitHub Token", "filename": "new.env", "hashed_secret": sha1}
    text = json.dumps({"version": "1.5.0", "results": {"new.env": [entry]}})
    (leak / ".secrets.baseline").write_text(text)
    commit(ann, leak, "waive")
    named = ("ci", "--baseline", ".secrets.baseline")
    assert ann.stanch(*named, cwd=leak).returncode == 1
    assert ann.stanch(*named, "--waivers", "head", cwd=leak).returncode == 0
    ann.git("checkout", "-q", "main", cwd=leak)
    (leak / ".secrets.baseline").write_text(text)
    commit(ann, leak, "accept")
    ann.git("checkout", "-q", "topic", cwd=leak)
    assert ann.stanch(*named, cwd=leak).returncode == 0


@pytest.fixture
def server(ann: Any, tmp_path: Path) -> Path:
    """An empty bare repository that checks what it is about to receive."""
    bare = tmp_path / "server.git"
    ann.git("init", "-q", "--bare", "-b", "main", bare, cwd=tmp_path)
    assert ann.stanch("hook", "install", "--type", "pre-receive", cwd=bare).returncode == 0
    return bare


def test_a_server_believes_its_own_default_branch(ann: Any, waived: Path, server: Path) -> None:
    url = f"file://{server}"
    assert ann.git("push", "-q", url, "main", cwd=waived).returncode == 0
    done = ann.git("push", "-q", url, "topic", cwd=waived)
    assert done.returncode == 1
    assert "this change itself adds the waiver" in done.stderr
    ann.git("checkout", "-q", "main", cwd=waived)
    ann.git("checkout", "-q", "topic", "--", ".stanch-baseline", cwd=waived)
    commit(ann, waived, "accept")
    assert ann.git("push", "-q", url, "main", cwd=waived).returncode == 0
    done = ann.git("push", "-q", url, "topic", cwd=waived)
    assert done.returncode == 0, done.stderr


def test_an_empty_server_takes_what_its_first_push_accepts(
    ann: Any, waived: Path, server: Path
) -> None:
    done = ann.git("push", "-q", f"file://{server}", "topic", cwd=waived)
    assert done.returncode == 0, done.stderr
    assert ann.git("push", "-q", f"file://{server}", "main", cwd=waived).returncode == 0


def test_a_server_takes_what_is_signed(ann: Any, leak: Path, server: Path) -> None:
    url = f"file://{server}"
    assert ann.git("push", "-q", url, "main", cwd=leak).returncode == 0
    key = ann.home / "waiver.key"
    public = ann.stanch("baseline", "key", f"file:{key}", cwd=leak).stdout.split()[-1]
    accept(ann, leak, "--sign", f"file:{key}")
    commit(ann, leak, "waive")
    done = ann.run("git", "push", "-q", url, "topic", cwd=leak, STANCH_WAIVER_KEY=public)
    assert done.returncode == 0, done.stderr

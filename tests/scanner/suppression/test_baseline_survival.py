"""A baseline is worth something only if it survives what people do to repositories."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Token = Callable[[int], str]
WHY = ("--reason", "a revoked key in a recorded session", "--expires", "never")
BY = ("--author", "ann@example.org")


@pytest.fixture
def accepted(repo: Any, token: Token, stanch: Any) -> Any:
    """A repository in which the token number 1 is accepted, and everything committed."""
    repo.commit("src/app.py", f'first = 1\nkey = "{token(1)}"\n')
    made = stanch("baseline", "create", *WHY, *BY, cwd=repo.path)
    assert made.code == 0, made.err
    repo.git("add", ".")
    repo.git("commit", "-q", "-m", "accept")
    return repo


def shown(stanch: Any, path: Path, *options: str, home: str = "home") -> list[dict[str, Any]]:
    ran = stanch("scan", ".", "--format", "jsonl", *options, cwd=path, home=home)
    assert ran.code in {0, 1}, ran.err
    return [json.loads(line) for line in ran.out.splitlines()]


def test_an_accepted_finding_is_left_out_and_counted(accepted: Any, stanch: Any) -> None:
    ran = stanch("scan", ".", cwd=accepted.path)
    assert ran.code == 0
    assert "2 places suppressed" in ran.err  # the file, and the commit that brought it


def test_suppressed_findings_are_shown_on_request_with_their_reason(
    accepted: Any, stanch: Any
) -> None:
    ran = stanch("scan", ".", "--show-suppressed", "--format", "jsonl", cwd=accepted.path)
    assert ran.code == 0
    first = json.loads(ran.out.splitlines()[0])
    assert first["suppressed"] == {"by": "baseline", "reason": WHY[1]}
    assert "suppressed: src/app.py:2 github-pat: a revoked key" in ran.err


def test_it_holds_in_a_fresh_clone_with_another_installation_key(
    accepted: Any, stanch: Any, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    accepted.git("clone", "-q", str(accepted.path), str(clone))
    assert shown(stanch, clone, home="elsewhere") == []


def test_it_holds_when_lines_move_and_the_file_is_renamed(accepted: Any, stanch: Any) -> None:
    text = (accepted.path / "src/app.py").read_text()
    accepted.git("rm", "-q", "--cached", "src/app.py")
    (accepted.path / "src/app.py").unlink()
    accepted.commit("lib/other.py", "import os\n" * 40 + text)
    assert shown(stanch, accepted.path) == []


def test_it_holds_through_a_rebase_and_a_squash(accepted: Any, stanch: Any, token: Token) -> None:
    accepted.git("checkout", "-q", "-b", "topic", "HEAD~1")
    accepted.commit("one.py", f'a = "{token(1)}"\n')
    accepted.commit("two.py", f'b = 2\nc = "{token(1)}"\n')
    accepted.git("rebase", "-q", "main")
    accepted.git("checkout", "-q", "main")
    accepted.git("merge", "-q", "--squash", "topic")
    accepted.git("commit", "-q", "-m", "squashed")
    assert shown(stanch, accepted.path) == []


def test_a_different_secret_on_the_same_line_is_still_reported(
    accepted: Any, stanch: Any, token: Token
) -> None:
    accepted.write("src/app.py", f'first = 1\nkey = ("{token(1)}", "{token(2)}")\n')
    found = shown(stanch, accepted.path, "--no-history")
    assert [(each["line"], each["column"]) for each in found] == [(2, 53)]


def test_a_secret_that_takes_the_place_of_an_accepted_one_is_reported(
    accepted: Any, stanch: Any, token: Token
) -> None:
    accepted.write("src/app.py", f'first = 1\nkey = "{token(3)}"\n')
    assert len(shown(stanch, accepted.path, "--no-history")) == 1


def test_branches_that_both_add_entries_merge_without_a_conflict(
    accepted: Any, stanch: Any, token: Token
) -> None:
    for branch, seeds in (("left", (10, 11, 12)), ("right", (20, 21, 22))):
        accepted.git("checkout", "-q", "-b", branch, "main")
        for seed in seeds:
            accepted.write(f"{branch}{seed}.py", f'k = "{token(seed)}"\n')
        ran = stanch("baseline", "add", "--all", *WHY, *BY, cwd=accepted.path)
        assert ran.code == 0, ran.err
        accepted.git("add", ".")
        accepted.git("commit", "-q", "-m", branch)
    accepted.git("merge", "-q", "--no-edit", "left")
    assert accepted.git("status", "--porcelain") == ""
    assert shown(stanch, accepted.path) == []
    listed = stanch("baseline", "list", cwd=accepted.path).out.splitlines()
    assert len(listed) == 7


def test_baselines_made_on_two_branches_work_together(repo: Any, stanch: Any, token: Token) -> None:
    repo.commit("readme", "nothing\n")
    for branch, seed in (("left", 1), ("right", 2)):
        repo.git("checkout", "-q", "-b", branch, "main")
        repo.write(f"{branch}.py", f'k = "{token(seed)}"\n')
        stanch("baseline", "create", *WHY, *BY, cwd=repo.path)
        repo.git("add", ".")
        repo.git("commit", "-q", "-m", branch)
    merged = subprocess.run(
        ["git", "-c", "user.name=a", "-c", "user.email=a@example.org", "merge", "-q", "left"],
        cwd=repo.path,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "GIT_CONFIG_GLOBAL": "/dev/null"},
    )
    assert merged.returncode == 0, merged.stdout + merged.stderr
    assert shown(stanch, repo.path) == []


def test_an_entry_for_some_paths_hides_nothing_elsewhere(
    repo: Any, stanch: Any, token: Token
) -> None:
    repo.commit("tests/case.py", f'k = "{token(1)}"\n')
    stanch("baseline", "add", "--all", "--within", "tests/*", *WHY, *BY, cwd=repo.path)
    assert shown(stanch, repo.path) == []
    repo.write("src/app.py", f'k = "{token(1)}"\n')
    assert [each["path"] for each in shown(stanch, repo.path)] == ["src/app.py"]


def test_a_folder_inside_of_the_repository_uses_its_baseline(accepted: Any, stanch: Any) -> None:
    assert shown(stanch, accepted.path / "src") == []


def test_two_folders_of_one_repository_are_each_judged_by_their_own_paths(
    repo: Any, stanch: Any, token: Token
) -> None:
    repo.commit("tests/case.py", f'k = "{token(1)}"\n')
    stanch("baseline", "add", "--all", "--within", "tests/*", *WHY, *BY, cwd=repo.path)
    repo.write("src/app.py", f'k = "{token(1)}"\n')
    for order in (("src", "tests"), ("tests", "src")):
        ran = stanch("scan", *order, "--no-history", "--format", "jsonl", cwd=repo.path)
        assert [json.loads(line)["path"] for line in ran.out.splitlines()] == ["app.py"]


def test_what_a_second_scan_remembers_of_history_is_judged_by_the_baseline_of_today(
    repo: Any, stanch: Any, token: Token
) -> None:
    repo.commit("a.py", f'k = "{token(1)}"\n')
    repo.commit("a.py", "k = None\n")
    assert len(shown(stanch, repo.path)) == 1
    stanch("baseline", "create", *WHY, *BY, cwd=repo.path)
    assert shown(stanch, repo.path) == []
    (repo.path / ".stanch-baseline").unlink()
    assert len(shown(stanch, repo.path)) == 1

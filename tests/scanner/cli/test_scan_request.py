"""What is asked for and cannot be is refused with a remedy, and what was read is said in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from stanch.scanner.cli.baseline.command import command as baseline
from stanch.scanner.cli.ci import command as ci
from stanch.scanner.cli.scan import command as scan
from stanch.scanner.model.error import ScannerError


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STANCH_HOME", str(tmp_path / "home"))


def run(command: click.Command, *words: str | Path) -> Result:
    return CliRunner().invoke(command, list(map(str, words)))


def refused(command: click.Command, *words: str | Path) -> str:
    """Message and remedy of a usage error."""
    error = run(command, *words).exception
    assert isinstance(error, ScannerError)
    assert error.exit_code == 2
    return f"{error}; {error.remedy}"


def test_a_target_that_does_not_exist_is_a_mistake_before_anything_is_read(
    tmp_path: Path, repo: Any
) -> None:
    repo.commit("a.txt", "fine")
    for name in ("nonexist", "repo/a.txt/b"):
        said = refused(scan, repo.path, tmp_path / name)
        assert f"there is no file or directory {tmp_path / name}" in said
        assert "name one that exists" in said  # the command's own name is added by whoever shows it


def test_commits_are_chosen_only_of_a_history_that_is_read(tmp_path: Path, repo: Any) -> None:
    repo.commit("below/a.txt", "fine")
    (tmp_path / "plain").mkdir()
    for words in (
        [tmp_path / "plain"],
        [repo.path / "below"],
        [repo.path / "below" / "a.txt"],
        [repo.path, "--no-history"],
    ):
        assert "add --history" in refused(scan, *words, "--since", "2026-01-01")
    assert "neither history" in refused(scan, "-", "--branch", "main")
    assert run(scan, repo.path, "--since", "2020-01-01").exit_code == 0


def test_a_second_scan_says_that_nothing_in_git_is_new(repo: Any) -> None:
    repo.commit("a.txt", "fine")
    assert "1 file + 1 git blob" in run(scan, repo.path).stderr
    assert "1 file + nothing new in git" in run(scan, repo.path).stderr
    assert "1 file \N{MIDDLE DOT} " in run(scan, repo.path, "--no-history").stderr


@pytest.mark.parametrize("option", ["--base", "--head"])
def test_what_an_option_of_ci_names_has_to_exist(
    option: str, repo: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("a.txt", "fine")
    monkeypatch.chdir(repo.path)
    for sign in ("GITHUB_ACTIONS", "GITLAB_CI", "JENKINS_URL", "TF_BUILD", "BUILDKITE", "CIRCLECI"):
        monkeypatch.delenv(sign, raising=False)
    said = refused(ci, option, "nope")
    assert said.startswith(f"{option} nope: there is no such commit here")
    assert "git branch --all" in said


def test_where_nothing_is_found_nothing_is_accepted_nor_written(repo: Any) -> None:
    repo.commit("a.txt", "fine")
    done = run(
        baseline, "add", "--all", "--reason", "ours", "--expires", "30d", "--target", repo.path
    )
    assert (done.exit_code, done.stdout) == (0, "nothing to add: no finding is open\n")
    assert not (repo.path / ".stanch-baseline").exists()
    assert not (repo.path / ".gitattributes").exists()

"""Nothing in a repository makes a scan wait for ever: named pipes, endless devices, loops."""

from __future__ import annotations

import hashlib
import os
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.sources.files import worktree_listing
from stanch.scanner.sources.git import bounded_process
from stanch.scanner.sources.git.bounds import Bounds

Scan = Callable[..., Any]
Token = Callable[[int], str]

pytestmark = pytest.mark.timeout(30)  # whoever waits here waits for ever

_PLACES = (
    "index",
    "config",
    "packed-refs",
    "shallow",
    "commondir",
    "refs/heads/other",
    "objects/info/alternates",
    "objects/00/00000000000000000000000000000000000000",
    f"objects/pack/pack-{'a' * 40}.idx",
)


def obstruct(path: Path, how: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    if how == "a pipe":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")


@pytest.mark.parametrize("how", ["a pipe", "an endless device"])
@pytest.mark.parametrize("place", _PLACES)
def test_what_git_would_wait_for_is_said_and_the_files_are_read(
    repo: Any, scan: Scan, token: Token, place: str, how: str
) -> None:
    repo.commit("a.txt", token(1))
    obstruct(repo.path / ".git" / place, how)
    outcome = scan(repo.path, staged=True)
    assert ("a.txt", 1) in outcome.places
    assert {gap.path for gap in outcome.incomplete} == {".", "git history", "git index"}
    assert all(place in gap.why for gap in outcome.incomplete)


def test_a_pipe_called_gitignore_is_waited_for_only_so_long(
    repo: Any, scan: Scan, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("sub/a.txt", token(1))
    os.mkfifo(repo.path / "sub" / ".gitignore")
    monkeypatch.setattr(worktree_listing, "LISTING", Bounds(patience=0.5))
    outcome = scan(repo.path, history=False)
    assert outcome.places == [("sub/a.txt", 1)]
    assert [gap.why for gap in outcome.incomplete] == [
        "git cannot list it: git waited in vain, as before a named pipe"
    ]
    assert scan(repo.path / "sub", history=False).incomplete


def test_a_pipe_in_the_place_of_the_baseline_is_refused(
    repo: Any, tmp_path: Path, token: Token
) -> None:
    from click.testing import CliRunner  # noqa: PLC0415  # for this test alone

    from stanch.responder.cli.main import stanch  # noqa: PLC0415  # as above
    from stanch.scanner.api import UsageError  # noqa: PLC0415  # as above

    repo.commit("a.txt", token(1))
    os.mkfifo(repo.path / ".stanch-baseline")
    environment = {"STANCH_HOME": str(tmp_path / "home")}
    done = CliRunner().invoke(stanch, ["scan", str(repo.path)], env=environment)
    assert isinstance(done.exception, UsageError)


@pytest.mark.parametrize("text", ["gitdir: .git\n", "gitdir: \0\n", "gitdir: " + "a/" * 2000])
def test_a_git_file_that_leads_into_a_loop_is_no_repository(
    tmp_path: Path, scan: Scan, token: Token, text: str
) -> None:
    (tmp_path / ".git").write_text(text)
    (tmp_path / "a.txt").write_text(token(1))
    assert scan(tmp_path).places == [("a.txt", 1)]


@pytest.mark.parametrize("text", ["..", "\0", "a/" * 2000, "../.git"])
def test_a_folder_that_names_itself_as_common_is_read_or_refused(
    repo: Any, scan: Scan, token: Token, text: str
) -> None:
    repo.commit("a.txt", token(1))
    (repo.path / ".git" / "commondir").write_text(text)
    assert ("a.txt", 1) in scan(repo.path, history=False).places


def test_a_head_of_gigabytes_is_not_copied(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("a.txt", token(1))
    for name in ("HEAD", "config"):
        with (repo.path / ".git" / name).open("r+b") as file:
            file.truncate(4 << 30)
    assert ("a.txt", 1) in scan(repo.path).places


@pytest.mark.parametrize("path", ["../o", "a//b", "./ab", "ab/.", "ab/.."])
def test_an_index_that_names_what_lies_outside_is_not_followed(
    repo: Any, scan: Scan, token: Token, tmp_path: Path, path: str
) -> None:
    """Git lists whatever an index says; this one was changed by hand, its checksum made anew."""
    (tmp_path / "o").write_text(token(2))
    forged = ("x" * len(path)).encode()
    repo.commit(forged.decode(), token(1))
    index = repo.path / ".git" / "index"
    data = index.read_bytes()[:-20].replace(forged, path.encode())
    index.write_bytes(data + hashlib.sha1(data, usedforsecurity=False).digest())
    outcome = scan(repo.path, history=False)
    assert token(2) not in outcome.secrets
    assert "a path that git never writes" in {gap.why for gap in outcome.incomplete}


def test_repositories_within_repositories_are_listed_to_a_depth(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    place = tmp_path
    for _ in range(60):
        for name in ("objects", "refs"):
            (place / ".git" / name).mkdir(parents=True)
        (place / ".git" / "HEAD").write_text("ref: refs/heads/main\n")
        (place / "a.txt").write_text(token(1))
        place = place / "n"
        place.mkdir()
    outcome = scan(tmp_path, history=False)
    assert len(outcome.places) == 41
    assert [gap.why for gap in outcome.incomplete] == ["repositories nested deeper than 40"]


def test_a_git_at_a_named_pipe_is_not_waited_for_as_long_as_one_that_works(
    tmp_path: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A minute for each such pipe would be as good as no bound."""
    monkeypatch.setattr(bounded_process, "_SOON", 0.05)
    (tmp_path / "n").mkdir()
    subprocess.run(["git", "init", "-q"], cwd=tmp_path / "n", check=True)
    os.mkfifo(tmp_path / "n" / ".gitignore")
    began = time.monotonic()
    gaps = scan(tmp_path).incomplete
    assert any("waited in vain" in gap.why for gap in gaps)
    assert time.monotonic() - began < worktree_listing.LISTING.patience / 2

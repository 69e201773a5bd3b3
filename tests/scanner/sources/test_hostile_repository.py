"""Each configuration key through which git can be made to run a program, and none does."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.model.error import UsageError
from stanch.scanner.scan.request import ScanRequest, scans
from stanch.scanner.scan.trust import Trust
from stanch.scanner.sources.git.discovery import at

Scan = Callable[..., Any]
Token = Callable[[int], str]

EXECUTABLE = {
    "core.fsmonitor": "{program}",
    "core.hooksPath": "{hooks}",
    "core.pager": "{program}",
    "pager.log": "{program}",
    "core.editor": "{program}",
    "core.askPass": "{program}",
    "core.sshCommand": "{program}",
    "core.gitProxy": "{program}",
    "core.alternateRefsCommand": "{program}",
    "credential.helper": "!{program}",
    "diff.external": "{program}",
    "diff.evil.command": "{program}",
    "diff.evil.textconv": "{program}",
    "filter.evil.clean": "{program}",
    "filter.evil.smudge": "{program}",
    "filter.evil.process": "{program}",
    "merge.evil.driver": "{program}",
    "gpg.program": "{program}",
    "gpg.ssh.program": "{program}",
    "interactive.diffFilter": "{program}",
    "trailer.evil.command": "{program}",
    "uploadpack.packObjectsHook": "{program}",
    "remote.origin.uploadpack": "{program}",
    "remote.origin.url": "ext::{program}",
    "remote.origin.vcs": "ext",
    "alias.ls-files": "!{program}",
    "alias.diff-tree": "!{program}",
    "include.path": "{included}",
}


@pytest.fixture
def marker(tmp_path: Path) -> Path:
    return tmp_path / "executed"


@pytest.fixture
def hostile(repo: Any, tmp_path: Path, marker: Path, token: Token) -> Callable[[str], None]:
    """Arms one key in a repository that has every occasion to use it."""
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    program = tmp_path / "program"
    for path in (program, hooks / "post-index-change", hooks / "reference-transaction"):
        path.write_text(f"#!/bin/sh\necho \"$0\" >> '{marker}'\n")
        path.chmod(0o755)
    included = tmp_path / "included"
    included.write_text(f"[core]\n\tfsmonitor = {program}\n[diff]\n\texternal = {program}\n")
    repo.write(".gitattributes", "* diff=evil filter=evil merge=evil\n")
    repo.commit("a.txt", "one")
    repo.commit("a.txt", token(1))
    missing = repo.commit("b.txt", "promised elsewhere")
    repo.write("a.txt", "changed")
    repo.write("c.txt", token(2))
    repo.git("add", "c.txt")

    def arm(key: str) -> None:
        value = EXECUTABLE[key].format(program=program, hooks=hooks, included=included)
        settings = {
            "core.repositoryFormatVersion": "1",
            "extensions.partialClone": "origin",
            "remote.origin.url": "file:///nowhere",
            "remote.origin.promisor": "true",
            "protocol.ext.allow": "always",
            "log.showSignature": "true",
        }
        # The promised object makes git fetch from the hostile remote, if it may.
        oid = repo.git("rev-parse", f"{missing}:b.txt")
        (repo.path / ".git" / "objects" / oid[:2] / oid[2:]).unlink()
        for name, setting in (settings | {key: value}).items():
            repo.git("config", name, setting)

    return arm


@pytest.mark.parametrize("key", EXECUTABLE)
def test_nothing_that_a_repository_names_is_executed(
    key: str,
    hostile: Callable[[str], None],
    repo: Any,
    marker: Path,
    scan: Scan,
    token: Token,
) -> None:
    hostile(key)
    outcome = scan(repo.path, staged=True)
    assert not marker.exists()
    assert set(outcome.secrets) == {token(1), token(2)}
    assert [gap.why for gap in outcome.incomplete] == ["the object is not in the repository"]


@pytest.mark.parametrize(
    ("key", "command"),
    [
        ("core.fsmonitor", ("status",)),
        ("diff.external", ("diff",)),
        ("diff.evil.textconv", ("diff",)),
        ("core.hooksPath", ("status",)),
        ("remote.origin.url", ("cat-file", "-p", "HEAD:b.txt")),
        ("include.path", ("status",)),
    ],
)
def test_the_traps_do_spring_for_plain_git(
    key: str, command: tuple[str, ...], hostile: Callable[[str], None], repo: Any, marker: Path
) -> None:
    hostile(key)
    try:
        repo.git(*command)
    except subprocess.CalledProcessError:
        assert marker.exists()
    assert marker.exists()


def test_a_git_file_that_points_nowhere_is_no_repository(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    (tmp_path / ".git").write_text("gitdir: /nowhere\n")
    (tmp_path / "a.txt").write_text(token(1))
    assert scan(tmp_path).places == [("a.txt", 1)]


def test_a_malformed_configuration_does_not_stop_the_scan(
    repo: Any, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    (repo.path / ".git" / "config").write_text("[core\n\0 broken")
    assert len(scan(repo.path).matches) == 2


def test_the_caller_s_own_git_variables_do_not_lead_elsewhere(
    repo: Any, tmp_path: Path, scan: Scan, token: Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    repo.commit("a.txt", token(1))
    for name in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY"):
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert len(scan(repo.path).matches) == 2


def test_a_git_file_that_points_to_another_repository_is_said(
    repo: Any, tmp_path: Path, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    stray = tmp_path / "stray"
    stray.mkdir()
    (stray / ".git").write_text(f"gitdir: {repo.path}/.git\n")
    (gap,) = scan(stray).gaps
    assert gap.path == ".git"
    assert f"another repository, which was read: {repo.path}/.git" in gap.why
    with pytest.raises(UsageError, match="points to another repository"):
        scans(ScanRequest(targets=(str(stray),), trust=Trust.NONE))


@pytest.mark.parametrize("how", ["linked", "submodule", "its own folder"])
def test_a_git_file_of_a_tree_that_its_repository_knows_is_nothing_special(
    repo: Any, tmp_path: Path, how: str
) -> None:
    repo.commit("a.txt", "harmless")
    tree = tmp_path / "tree"
    if how == "linked":
        repo.git("worktree", "add", "-q", "-b", "linked", str(tree))
    elif how == "submodule":
        tree.mkdir()
        (tree / ".git").write_text(f"gitdir: {repo.path}/.git\n")
        repo.git("config", "core.worktree", str(tree))
    else:
        tree = repo.path
        (tree / ".git").rename(tree / "real")
        (tree / ".git").write_text("gitdir: real\n")
    layout = at(tree.resolve())
    assert layout is not None
    assert not layout.elsewhere

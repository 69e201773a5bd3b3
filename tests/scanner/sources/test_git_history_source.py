from __future__ import annotations

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import InCommit, UsageError

Scan = Callable[..., Any]
Token = Callable[[int], str]


def _history(scan: Scan, repo: Any, **options: bool) -> Any:
    return scan(repo.path, worktree=False, history=True, **options)


def test_a_removed_secret_is_found_with_the_commit_that_introduced_it(
    repo: Any, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", "harmless\n")
    introduced = repo.commit("a.txt", f"harmless\nT={token(1)}\n")
    repo.commit("a.txt", f"more\nharmless\nT={token(1)}\n")
    repo.commit("a.txt", "removed\n")
    outcome = _history(scan, repo)
    place = outcome.matches[0].finding.provenance
    assert place == InCommit(
        path="a.txt",
        commit=introduced,
        author="Ann Example <ann@example.org>",
        committed_at=datetime(2024, 2, 3, 2, 5, 6, tzinfo=UTC),
        in_head=False,
    )
    assert outcome.places == [("a.txt", 2)]
    assert not outcome.gaps


def test_each_blob_is_read_once_however_often_it_returns(
    repo: Any, scan: Scan, token: Token
) -> None:
    for text in (token(1), "gone", token(1), "gone", token(1)):
        repo.commit("a.txt", text)
    repo.commit("copy.txt", token(1))
    assert _history(scan, repo).places == [("a.txt", 1)]


def test_branches_tags_and_stashes_are_history_too(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("base.txt", "x")
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("side.txt", token(1))
    repo.git("tag", "-a", "-m", "v1", "v1")
    repo.git("checkout", "-q", "main")
    repo.git("branch", "-q", "-D", "side")
    repo.write("base.txt", token(2))
    repo.git("stash", "-q")
    assert sorted(_history(scan, repo).secrets) == sorted([token(1), token(2)])


def test_a_secret_born_in_a_merge_is_found(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("a.txt", "one\n")
    repo.git("checkout", "-q", "-b", "side")
    repo.commit("b.txt", "two\n")
    repo.git("checkout", "-q", "main")
    repo.commit("c.txt", "three\n")
    repo.git("merge", "-q", "--no-commit", "side")
    merge = repo.commit("evil.txt", token(1))
    outcome = _history(scan, repo)
    assert [match.finding.commit for match in outcome.matches] == [merge]


def test_packed_and_bare_repositories_read_the_same(
    repo: Any, tmp_path: Path, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    repo.commit("a.txt", "gone")
    repo.git("gc", "-q")
    repo.git("clone", "-q", "--bare", str(repo.path), str(tmp_path / "bare.git"))
    assert _history(scan, repo).secrets == [token(1)]
    assert scan(tmp_path / "bare.git").secrets == [token(1)]


def test_a_linked_working_tree_shares_its_history(
    repo: Any, tmp_path: Path, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", token(1))
    repo.commit("a.txt", "gone")
    repo.git("worktree", "add", "-q", str(tmp_path / "linked"))
    assert scan(tmp_path / "linked").secrets == [token(1)]


def test_a_sha256_repository_is_read(tmp_path: Path, repo: Any, scan: Scan, token: Token) -> None:
    other = type(repo)(path=tmp_path / "other")
    other.path.mkdir()
    other.git("init", "-q", "--object-format=sha256")
    other.commit("a.txt", token(1))
    other.git("add", "a.txt")
    assert scan(other.path, staged=True).secrets == [token(1), token(1)]


def test_history_of_a_folder_is_limited_to_it(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("in/a.txt", token(1))
    repo.commit("out/b.txt", token(2))
    outcome = scan(repo.path / "in", worktree=False, history=True)
    assert outcome.places == [("a.txt", 1)]


def test_a_replaced_commit_hides_nothing(repo: Any, scan: Scan, token: Token) -> None:
    bad = repo.commit("a.txt", token(1))
    good = repo.commit("a.txt", "harmless")
    repo.git("replace", "-f", bad, good)
    assert _history(scan, repo).secrets == [token(1)]


def test_a_shallow_clone_is_read_and_incomplete(
    repo: Any, tmp_path: Path, scan: Scan, token: Token
) -> None:
    repo.commit("a.txt", "old")
    repo.commit("a.txt", token(1))
    repo.git("clone", "-q", "--depth=1", f"file://{repo.path}", str(tmp_path / "shallow"))
    outcome = scan(tmp_path / "shallow", worktree=False)
    assert outcome.secrets == [token(1)]
    assert "git fetch --unshallow" in outcome.incomplete[0].why


def test_an_empty_repository_has_no_history_and_no_gap(repo: Any, scan: Scan) -> None:
    outcome = _history(scan, repo)
    assert (outcome.matches, outcome.gaps) == ((), ())


def _object(repo: Any, name: str) -> Path:
    oid: str = repo.git("rev-parse", name)
    return Path(repo.path) / ".git" / "objects" / oid[:2] / oid[2:]


@pytest.mark.parametrize("damage", ["missing", "garbage", "cut"])
@pytest.mark.parametrize("victim", ["HEAD~1:a.txt", "HEAD~1", "HEAD~1^{tree}"])
def test_a_broken_object_is_a_gap_and_what_is_whole_is_read(
    repo: Any, scan: Scan, token: Token, victim: str, damage: str
) -> None:
    repo.commit("a.txt", "first")
    repo.commit("a.txt", "second version " * 500)
    repo.commit("b.txt", token(1))
    path = _object(repo, victim)
    path.chmod(0o644)
    whole = path.read_bytes()
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes(b"garbage" if damage == "garbage" else whole[: len(whole) // 2])
    outcome = _history(scan, repo)
    assert outcome.incomplete
    # Without its parent's tree the last commit's changes are unknown, which the gap says.
    assert outcome.secrets == ([token(1)] if victim == "HEAD~1:a.txt" else outcome.secrets)


def test_comparing_goes_on_behind_what_is_broken(repo: Any, scan: Scan, token: Token) -> None:
    commits = [repo.commit(f"{number:02}.txt", token(number)) for number in range(14)]
    whole = _history(scan, repo)
    assert [match.finding.commit for match in whole.matches] == commits
    assert not whole.gaps
    for victim in ("main~9^{tree}", "main~4^{tree}"):
        _object(repo, victim).unlink()
    outcome = _history(scan, repo)
    assert outcome.incomplete
    # The changes of a broken commit, and of the one after it, are not known.
    assert set(commits) - {match.finding.commit for match in outcome.matches} == {
        commits[number] for number in (4, 5, 9, 10)
    }


def test_a_broken_ref_does_not_hide_the_others(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("a.txt", token(1))
    (repo.path / ".git" / "refs" / "heads" / "bad").write_text("1" * 40 + "\n")
    outcome = _history(scan, repo)
    assert outcome.secrets == [token(1)]
    assert [gap.path for gap in outcome.incomplete] == ["refs/heads/bad"]


def test_a_broken_pack_makes_the_scan_incomplete(repo: Any, scan: Scan) -> None:
    repo.commit("a.txt", "x" * 1000)
    repo.git("gc", "-q")
    for pack in (repo.path / ".git" / "objects" / "pack").glob("*.pack"):
        pack.chmod(0o644)
        pack.write_bytes(pack.read_bytes()[:20])
    assert _history(scan, repo).incomplete


def test_staged_content_is_what_head_does_not_have(repo: Any, scan: Scan, token: Token) -> None:
    repo.commit("old.txt", token(1))
    repo.write("new.txt", token(2))
    repo.git("add", "new.txt")
    repo.write("new.txt", "changed after staging")
    outcome = scan(repo.path, worktree=False, staged=True, history=False)
    assert outcome.secrets == [token(2)]
    assert outcome.matches[0].finding.provenance.source == "staged"


def test_everything_staged_is_new_before_the_first_commit(
    repo: Any, scan: Scan, token: Token
) -> None:
    repo.write("a.txt", token(1))
    repo.git("add", "a.txt")
    assert scan(repo.path, worktree=False, staged=True, history=False).secrets == [token(1)]


def test_history_of_no_repository_is_a_usage_error(tmp_path: Path, scan: Scan) -> None:
    with pytest.raises(UsageError, match="not in a git repository"):
        scan(tmp_path, history=True)
    with pytest.raises(UsageError, match="not in a git repository"):
        scan(tmp_path, staged=True)


def test_a_missing_target_is_a_mistake(tmp_path: Path, scan: Scan) -> None:
    with pytest.raises(UsageError, match="no file or directory"):
        scan(tmp_path / "nothing")


def test_a_scan_leaves_the_repository_as_it_was(repo: Any, scan: Scan) -> None:
    repo.commit("a.txt", "x")
    os.utime(repo.path / "a.txt")  # git would refresh its index here if it could
    before = {p: p.stat().st_mtime_ns for p in (repo.path / ".git").rglob("*")}
    scan(repo.path, staged=True)
    assert {p: p.stat().st_mtime_ns for p in (repo.path / ".git").rglob("*")} == before

"""What people wrote about commits is read as well: messages, annotated tags, notes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Token = Callable[[int], str]


def _found(scan: Any, repo: Any) -> list[tuple[str, str, int]]:
    outcome = scan(repo.path, history=True, worktree=False)
    assert not outcome.incomplete
    return sorted(
        (match.finding.provenance.source, match.finding.path, match.finding.span.line)
        for match in outcome.matches
    )


def test_messages_of_commits_and_tags_and_notes(repo: Any, scan: Any, token: Token) -> None:
    repo.commit("a.txt", "clean\n")
    repo.git("commit", "-q", "--allow-empty", "-m", f"deploy\n\nwith {token(1)}\n")
    repo.git("tag", "-a", "v1", "-m", f"released with {token(2)}", "HEAD~1")
    repo.git("tag", "light")
    repo.git("notes", "add", "-m", f"noted {token(3)}")
    assert [row[:2] for row in _found(scan, repo)] == [
        ("git-history", repo.git("rev-parse", "HEAD").strip()),
        ("git-message", "commit message"),
        ("git-message", "message of tag v1"),
    ]


def test_the_place_names_commit_author_and_line(repo: Any, scan: Any, token: Token) -> None:
    repo.commit("a.txt", "clean\n")
    repo.git("commit", "-q", "--allow-empty", "-m", f"deploy\n\nwith {token(1)}\n")
    (match,) = scan(repo.path, history=True, worktree=False).matches
    place = match.finding.provenance
    assert place.commit == repo.git("rev-parse", "HEAD").strip()
    assert "@" in place.author
    assert place.committed_at.year > 2000
    assert (match.finding.span.line, place.in_head) == (3, None)


def test_of_a_folder_only_its_files_are_read(repo: Any, scan: Any, token: Token) -> None:
    repo.commit("sub/a.txt", "clean\n")
    repo.git("commit", "-q", "--allow-empty", "-m", f"deploy {token(1)}")
    assert scan(repo.path / "sub", history=True, worktree=False).secrets == []

"""A finding is accepted by what a report prints: its place, or the beginning of its fingerprint."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import Match, UsageError
from stanch.scanner.cli.baseline.place import chosen, ignored_places, in_worktree

Token = Callable[[int], str]


@pytest.fixture
def matches(repo: Any, scan: Any, token: Token) -> list[Match]:
    repo.commit("a.env", f"\nT={token(1)}\nU={token(2)}\n")
    repo.commit("c:d.env", f"T={token(3)}\n")
    found: list[Match] = scan(repo.path, history=True).matches
    return found


def _lines(found: list[Match]) -> set[tuple[str, int]]:
    return {(match.finding.path, match.finding.span.line) for match in found}


def test_by_path_and_line_in_the_tree_and_in_every_commit(matches: list[Match]) -> None:
    assert _lines(chosen(["a.env:2"], matches)) == {("a.env", 2)}
    assert _lines(chosen(["a.env:3", "c:d.env:1"], matches)) == {("a.env", 3), ("c:d.env", 1)}


def test_by_commit_path_and_line(matches: list[Match]) -> None:
    (commit,) = {
        m.finding.commit for m in matches if m.finding.commit and m.finding.path == "a.env"
    }
    (found,) = chosen([f"{commit[:12]}:a.env:2"], matches)
    assert (found.finding.commit, found.finding.span.line) == (commit, 2)
    with pytest.raises(UsageError, match="no finding is"):
        chosen([f"{'0' * 12}:a.env:2"], matches)


def test_by_the_beginning_of_a_fingerprint_that_is_long_enough(matches: list[Match]) -> None:
    fingerprint = matches[0].finding.fingerprint
    assert {m.finding.fingerprint for m in chosen([fingerprint[:11]], matches)} == {fingerprint}
    for short in (fingerprint[:9], "v1:"):
        with pytest.raises(UsageError, match="no finding is"):
            chosen([short], matches)


@pytest.mark.parametrize("name", ["a.env", "a.env:9", "a.env:0", "b.env:2", "", ":1"])
def test_what_names_nothing_is_refused_with_a_remedy(matches: list[Match], name: str) -> None:
    with pytest.raises(UsageError, match="no finding is") as caught:
        chosen([name], matches)
    assert "PATH:LINE" in caught.value.remedy


def test_only_places_without_a_commit_are_in_the_tree() -> None:
    assert in_worktree("a b/c.env:12")
    assert not in_worktree("0123456789ab:c.env:12")
    assert not in_worktree("v1:" + "ab" * 16)


def test_the_places_of_a_gitleaksignore(tmp_path: Path) -> None:
    file = tmp_path / ".gitleaksignore"
    file.write_text(f"# ours\n{'c' * 40}:a/b.env:generic-api-key:3\nx.env:aws:12\n\nx.env:gcp:12\n")
    assert ignored_places(file) == (f"{'c' * 40}:a/b.env:3", "x.env:12")
    file.write_text("x.env:aws:12\nnonsense\n")
    with pytest.raises(UsageError, match=r"gitleaksignore:2: not COMMIT:PATH:RULE:LINE"):
        ignored_places(file)

"""Of what a history held is said whether it is still in HEAD."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stanch.scanner.model.provenance import InCommit

Token = Callable[[int], str]


def _in_head(scan: Any, repo: Any) -> dict[str, bool | None]:
    outcome = scan(repo.path, history=True, worktree=False)
    places = [match.finding.provenance for match in outcome.matches]
    return {place.path: place.in_head for place in places if isinstance(place, InCommit)}


def test_what_is_still_there_and_what_is_gone(repo: Any, scan: Any, token: Token) -> None:
    repo.commit("kept.env", f"T={token(1)}\n")
    repo.commit("gone.env", f"T={token(2)}\n")
    repo.commit("edited.env", f"T={token(3)}\n")
    repo.git("rm", "-q", "gone.env")
    repo.commit("edited.env", "T=\n")
    repo.commit("kept.env", f"# moved down\nT={token(1)}\n")
    assert _in_head(scan, repo) == {"kept.env": True, "gone.env": False, "edited.env": False}


def test_a_branch_that_is_not_merged_is_not_in_head(repo: Any, scan: Any, token: Token) -> None:
    repo.commit("a.env", "nothing\n")
    repo.git("checkout", "-q", "-b", "other")
    repo.commit("b.env", f"T={token(1)}\n")
    repo.git("checkout", "-q", "main")
    assert _in_head(scan, repo) == {"b.env": False}


@pytest.mark.parametrize("below", ["sub"])
def test_of_a_folder_its_own_paths_count(repo: Any, scan: Any, token: Token, below: str) -> None:
    repo.commit(f"{below}/a.env", f"T={token(1)}\n")
    outcome = scan(repo.path / below, history=True, worktree=False)
    assert [match.finding.provenance.in_head for match in outcome.matches] == [True]

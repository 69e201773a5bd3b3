"""What is accepted where a content came first is judged anew wherever else it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from stanch.scanner.api import FingerprintKey, Match, Scanner, SecretValue
from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.suppression.suppressor import Suppressor

_TABLES = {
    "paths": Allowlist(reason="made up", paths=("tests/*",)),
    "path_regexes": Allowlist(reason="made up", path_regexes=("^tests/",)),
}


@pytest.mark.parametrize("kind", _TABLES)
@pytest.mark.parametrize("copy", ["src/a.env", "tests/b.env"])
def test_a_content_that_is_allowed_at_its_first_path_is_found_at_the_second(
    repo: Any, token: Callable[[int], str], kind: str, copy: str
) -> None:
    repo.commit("tests/a.env", f"T={token(1)}\n")
    repo.commit("tests/other.env", f"T={token(2)}\n")
    repo.commit(copy, f"T={token(1)}\n")
    suppressor = Suppressor(None, today=date(2026, 6, 1))
    suppressor.allow([_TABLES[kind]])
    key = FingerprintKey(SecretValue(bytes(32)))
    scanner = Scanner(key=key, suppressor=suppressor, processes=1)
    scan = scanner.scan_path(repo.path, history=True, worktree=False)
    open_ = [
        each.finding for each in scan if isinstance(each, Match) and each.finding.waiver is None
    ]
    expected = [copy] if copy.startswith("src/") else []
    assert [finding.path for finding in open_] == expected
    assert all(finding.commit == repo.git("rev-parse", "HEAD") for finding in open_)

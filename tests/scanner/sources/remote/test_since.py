"""What is new in a repository since an earlier scan, whose marks are all that is kept of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from stanch.scanner.api import FingerprintKey, Match, Scanner, SecretValue, Selection
from tests.scanner.sources.remote.conftest import GitHost, git

Start = Callable[[], GitHost]
Token = Callable[[int], str]


@pytest.fixture
def scanner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scanner:
    monkeypatch.setenv("STANCH_HOME", str(tmp_path / "home"))
    return Scanner(key=FingerprintKey(SecretValue(bytes(32))), processes=1)


def since(scanner: Scanner, url: str, marks: list[str]) -> tuple[list[str], list[str]]:
    """Where something was found, and the marks for the next time."""
    scan = scanner.scan_target(url, selection=Selection(known=tuple(marks)))
    return [each.finding.path for each in scan if isinstance(each, Match)], scan.marks


def test_only_what_a_push_adds_is_found(git_host: Start, scanner: Scanner, token: Token) -> None:
    host = git_host()
    host.repository("app")
    host.push("app", {"a.env": f"TOKEN={token(1)}\n"})
    found, marks = since(scanner, host.url("app"), [])
    assert found == ["a.env"]
    assert since(scanner, host.url("app"), marks) == ([], marks)
    host.push("app", {"a.env": f"TOKEN={token(1)}\nOTHER={token(2)}\n", "b.env": token(3)})
    found, later = since(scanner, host.url("app"), marks)
    assert found == ["a.env", "b.env"], "what stood in the file before is not found again"
    assert later != marks


def test_what_comes_back_is_found_again(git_host: Start, scanner: Scanner, token: Token) -> None:
    host = git_host()
    host.repository("app")
    host.push("app", {"a.env": f"TOKEN={token(1)}\n"})
    host.push("app", {"a.env": "TOKEN=\n"})
    _, marks = since(scanner, host.url("app"), [])
    host.push("app", {"a.env": f"TOKEN={token(1)}\n"})
    assert since(scanner, host.url("app"), marks)[0] == ["a.env"]


def test_marks_that_are_no_commits_any_more_count_for_nothing(
    git_host: Start, scanner: Scanner, token: Token
) -> None:
    host = git_host()
    host.repository("app")
    host.push("app", {"a.env": f"TOKEN={token(1)}\n"})
    found, marks = since(scanner, host.url("app"), ["0" * 39 + "1", "nonsense"])
    assert (found, len(marks)) == (["a.env"], 1)


def test_what_was_not_read_is_not_marked(git_host: Start, scanner: Scanner, token: Token) -> None:
    host = git_host()
    place = host.repository("app")
    host.push("app", {"a.env": f"TOKEN={token(1)}\n"})
    _, marks = since(scanner, host.url("app"), [])
    host.push("app", {"b.env": f"TOKEN={token(2)}\n"})
    place.rename(place.with_suffix(".away"))
    assert since(scanner, host.url("app"), marks) == ([], [])
    place.with_suffix(".away").rename(place)
    git(place, "config", "http.receivepack", "false")
    assert since(scanner, host.url("app"), marks)[0] == ["b.env"]

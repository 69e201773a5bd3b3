"""What a team allows is hidden with its reason, and only that."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from stanch.scanner.api import Match, UsageError
from stanch.scanner.local.allowlist_table import allowlists
from stanch.scanner.model.allowlist import Allowlist
from stanch.scanner.model.waiver import WaiverSource
from stanch.scanner.suppression.allowlist import Allowlists

TODAY = date(2026, 6, 15)
Token = Callable[[int], str]


@pytest.fixture
def match(scan: Callable[..., Any], repo: Any, token: Token) -> Match:
    repo.commit("vendor/lib/a.env", f"T={token(1)}\n")
    (found,) = scan(repo.path, history=False).matches
    assert isinstance(found, Match)
    return found


@pytest.mark.parametrize(
    ("allowed", "given"),
    [
        (True, {"paths": ("vendor/*",)}),
        (False, {"paths": ("vendor",)}),
        (True, {"path_regexes": ("(^|/)lib/",)}),
        (False, {"path_regexes": ("^lib/",)}),
        (True, {"rules": ("github-*",)}),
        (False, {"rules": ("aws-*",)}),
        (True, {"regexes": ("^ghp_",)}),
        (False, {"regexes": ("^ghx_",)}),
        (True, {"paths": ("src/*", "vendor/*"), "rules": ("github-pat",)}),
        (False, {"paths": ("vendor/*",), "rules": ("aws-*",)}),
        (False, {"path_regexes": ("vendor",), "regexes": ("^no",)}),
    ],
)
def test_every_kind_that_is_given_has_to_fit(
    match: Match, *, allowed: bool, given: dict[str, tuple[str, ...]]
) -> None:
    lists = Allowlists([Allowlist(reason="third-party", **given)], today=TODAY)  # type: ignore[arg-type]
    waiver = lists.waiver(match, match.finding.path)
    assert (waiver is not None) is allowed
    if waiver is not None:
        assert (waiver.source, waiver.reason, waiver.hides) == (
            WaiverSource.ALLOWLIST,
            "third-party",
            True,
        )


def test_it_counts_on_its_last_day_and_says_when_it_is_over(match: Match) -> None:
    table = Allowlist(reason="soon gone", paths=("*",), expires=TODAY)
    waiver = Allowlists([table], today=TODAY).waiver(match, "a")
    assert waiver is not None
    assert waiver.hides
    late = Allowlists([table], today=date(2026, 6, 16))
    waiver = late.waiver(match, "a")
    assert waiver is not None
    assert waiver.void == "its allowlist expired on 2026-06-15"
    assert late.basis() != Allowlists([table], today=TODAY).basis()


def test_a_regex_that_cannot_be_matched_in_one_pass_is_refused_by_name() -> None:
    table = Allowlist(reason="x y", regexes=("fine", r"(a)\1"), origin="s.toml:9")
    with pytest.raises(UsageError, match=r"s.toml:9, regexes\[2\]: .*`\(a\)\\1`"):
        Allowlists([table], today=TODAY)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("x", "no list of tables"),
        ([{"reason": "because"}], "would allow everything"),
        ([{"paths": ["a"]}], "gives no reason"),
        ([{"paths": ["a"], "reason": "-"}], "gives no reason"),
        ([{"paths": "a", "reason": "because"}], "no list of texts"),
        ([{"paths": ["a"], "reason": "because", "expires": "soon"}], "no day"),
        ([{"path": ["a"], "reason": "because"}], "unknown key `path`"),
    ],
)
def test_a_mistake_in_a_table_is_named(table: object, said: str) -> None:
    with pytest.raises(UsageError, match=said) as caught:
        allowlists(table, "stanch.toml: allowlist {}".format)
    assert str(caught.value).startswith("stanch.toml: allowlist 1: ")
    assert caught.value.remedy

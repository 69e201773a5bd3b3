from __future__ import annotations

import re
from datetime import UTC, datetime

from stanch.scanner.model.finding import Severity
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InCommit, InWorktree
from stanch.scanner.reports import html_page
from stanch.scanner.reports.html_overview import facets
from stanch.scanner.reports.report import Report
from tests.scanner.reports.conftest import made

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def commit(author: str, year: int, path: str) -> InCommit:
    at = datetime(year, 12, 30, tzinfo=UTC)
    return InCommit(path=path, commit="c" * 40, author=author, committed_at=at)


def report(count: int = 20) -> Report:
    findings = [
        made(
            commit(f"Person {n} <p{n}@example.com>", 2025 - n % 3, f"team{n}/app/src/a.env"),
            fingerprint=f"v1:{n}",
            provider="aws" if n % 2 else "github",
            severity=Severity.HIGH if n % 2 else Severity.LOW,
        )
        for n in range(count)
    ]
    return Report(findings=tuple(findings), ended=NOW)


def test_a_credential_counts_once_in_each_way_and_rare_ones_are_together() -> None:
    ways = {way.key: way for way in facets(report())}
    assert ways["provider"].rows == [("aws", 10), ("github", 10)]
    assert sum(count for _, count in ways["place"].rows) == 20
    assert ways["place"].rows[-1] == ("all others", 8)
    assert ways["age"].rows == [("a week", 7), ("three years", 13)]
    assert ways["owner"].rows[0][0] == "Person 1"


def test_each_box_hides_the_sections_that_bear_its_mark_and_nothing_runs() -> None:
    page = html_page.render(report())
    boxes = set(re.findall(r"<input type=checkbox id=(\w+) checked>", page))
    hidden = dict(re.findall(r"main:has\(#(\w+):not\(:checked\)\) section\.(\w+) ", page))
    assert boxes <= set(hidden)
    classes = {
        mark for marks in re.findall(r'<section class="([^"]*)"', page) for mark in marks.split()
    }
    assert classes == {hidden[box] for box in boxes}
    assert "<script" not in page
    assert "default-src 'none'" in page


def test_one_kind_of_everything_needs_no_filter() -> None:
    page = html_page.render(Report(findings=(made(InWorktree(path="a")),), ended=NOW))
    assert "checkbox" not in page


def test_what_was_not_read_is_told_by_its_reason() -> None:
    gaps = tuple(Gap(path=f"f{n}", why="cut", incomplete=True) for n in range(60))
    page = html_page.render(Report(findings=(), gaps=gaps, ended=NOW))
    assert "60 × <bdi>cut</bdi>" in page
    assert "<li>10 more" in page


def test_names_of_strangers_are_text() -> None:
    place = commit("<script>alert(1)</script>", 2025, "<b>/x/a")
    other = commit("B", 2025, "y/a")
    page = html_page.render(
        Report(
            findings=(made(place, fingerprint="v1:a"), made(other, fingerprint="v1:b")), ended=NOW
        )
    )
    assert "<script" not in page
    assert "<b>" not in page

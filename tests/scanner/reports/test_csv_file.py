from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO

from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InCommit, InImage, InWorktree
from stanch.scanner.reports import csv_file
from stanch.scanner.reports.report import Report
from tests.scanner.reports.conftest import made


def rows(report: Report) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(csv_file.render(report), newline="")))


def test_each_place_is_a_row_with_what_is_known_of_it() -> None:
    at = datetime(2024, 2, 3, 4, 5, 6, tzinfo=UTC)
    commit = InCommit(path="a,b.env", commit="c" * 40, author="Ann", committed_at=at, in_head=False)
    image = InImage(path="app/.env", image="r/app:1", manifest="sha256:m", platform="linux/amd64")
    first, second = rows(Report(findings=(made(commit), made(image))))
    assert (first["path"], first["introduced_by"], first["in_head"]) == ("a,b.env", "Ann", "false")
    assert first["introduced_at"] == "2024-02-03T04:05:06Z"
    assert (second["source"], second["where"]) == ("image", "linux/amd64, in no layer")


def test_no_cell_is_a_formula() -> None:
    for name in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1"):
        (row,) = rows(Report(findings=(made(InWorktree(path=name)),)))
        assert row["path"][0] in "'\\", name


def test_what_was_not_read_and_what_is_accepted_are_rows_too() -> None:
    finding = made(InWorktree(path="a"))
    gap = Gap(path="b", why="unreadable", incomplete=True)
    accepted, unread = rows(Report(findings=(), waived=((finding, "a test key"),), gaps=(gap,)))
    assert accepted["accepted"] == "a test key"
    assert (unread["severity"], unread["path"]) == ("not read", "b")

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from stanch.scanner.api import Finding, Gap, builtin_rules
from stanch.scanner.reports import gitlab
from stanch.scanner.reports.report import Report

Make = Callable[..., Finding]
RULES = {rule.id: rule for rule in builtin_rules()}
AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


def _render(*findings: Finding, gaps: tuple[Gap, ...] = ()) -> dict[str, Any]:
    text = gitlab.render(Report(findings=findings, rules=RULES, gaps=gaps, began=AT, ended=AT))
    read: dict[str, Any] = json.loads(text)
    return read


def test_the_report_has_what_version_15_of_the_format_requires(finding: Make) -> None:
    report = _render(finding(commit=True), finding("b"))
    assert re.fullmatch(r"15\.\d+\.\d+", report["version"])
    scan = report["scan"]
    assert scan["type"] == "secret_detection"
    assert scan["status"] == "success"
    assert INSTANT.fullmatch(scan["start_time"])
    assert INSTANT.fullmatch(scan["end_time"])
    for tool in (scan["analyzer"], scan["scanner"]):
        assert {"id", "name", "version", "vendor"} <= tool.keys()
        assert tool["vendor"]["name"]
    for each in report["vulnerabilities"]:
        assert {"id", "identifiers", "location"} <= each.keys()
        assert each["severity"] in {"Info", "Unknown", "Low", "Medium", "High", "Critical"}
        assert all({"type", "name", "value"} <= one.keys() for one in each["identifiers"])
        assert each["location"]["commit"]["sha"]
        assert len(each["name"]) <= 255
    first, second = report["vulnerabilities"]
    assert first["location"]["commit"]["date"] == "2026-02-03T04:05:06"
    assert first["id"] != second["id"]


def test_the_same_finding_has_the_same_id_in_every_run(finding: Make) -> None:
    one, other = _render(finding()), _render(finding())
    assert one == other


def test_an_incomplete_scan_is_a_failure(finding: Make) -> None:
    gaps = (Gap(path="x", why="unreadable", incomplete=True), Gap(path="y", why="binary",
                                                                  incomplete=False))  # fmt: skip
    scan = _render(finding(), gaps=gaps)["scan"]
    assert scan["status"] == "failure"
    assert [each["value"] for each in scan["messages"]] == ["not read: x: unreadable"]

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import jsonschema  # type: ignore[import-untyped]  # ships no types
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.scanner.api import Finding, Gap, Severity, builtin_rules
from stanch.scanner.model.finding import Span
from stanch.scanner.reports import sarif
from stanch.scanner.reports.report import Report

Make = Callable[..., Finding]
RULES = {rule.id: rule for rule in builtin_rules()}


@pytest.fixture(scope="session")
def validator(sarif_schema: dict[str, Any]) -> Any:
    return jsonschema.Draft7Validator(
        sarif_schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER
    )


def _render(*findings: Finding, gaps: tuple[Gap, ...] = ()) -> dict[str, Any]:
    read: dict[str, Any] = json.loads(
        sarif.render(Report(findings=findings, rules=RULES, gaps=gaps, version="1.2.3"))
    )
    return read


def test_every_rule_and_an_unknown_one_make_a_valid_report(validator: Any, finding: Make) -> None:
    findings = [finding(rule=name, commit=True) for name in (*RULES, "a-plugin-of-yours")]
    gaps = (Gap(path="x", why="broken object", incomplete=True),)
    report = _render(*findings, gaps=gaps)
    validator.validate(report)
    run = report["runs"][0]
    assert len(run["results"]) == len(findings)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    assert run["invocations"][0]["executionSuccessful"] is False


def test_an_empty_report_is_valid_and_successful(validator: Any) -> None:
    report = _render()
    validator.validate(report)
    assert report["runs"][0]["results"] == []
    assert report["runs"][0]["invocations"][0]["executionSuccessful"] is True


def test_a_result_is_found_again_by_its_fingerprint_wherever_it_moves(finding: Make) -> None:
    first, second = _render(finding("a"), finding("b/c", commit=True))["runs"][0]["results"]
    assert first["partialFingerprints"] == second["partialFingerprints"]
    assert first["level"] == "error"
    assert first["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 3, "startColumn": 5, "endLine": 3, "endColumn": 45,
    }  # fmt: skip


def test_the_other_parts_of_a_credential_are_related_places(validator: Any, finding: Make) -> None:
    also = (Span(line=5, column=2, end_line=5, end_column=42),)
    report = _render(finding(also=also))
    validator.validate(report)
    (result,) = report["runs"][0]["results"]
    (related,) = result["relatedLocations"]
    assert related["physicalLocation"]["region"]["startLine"] == 5


@settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(min_size=1), st.text(), st.sampled_from(Severity))
def test_hostile_names_stay_names(
    validator: Any, finding: Make, path: str, preview: str, severity: Severity
) -> None:
    path = path.encode("utf-8", "backslashreplace").decode()  # as sources show paths
    preview = preview.encode("utf-8", "backslashreplace").decode()
    report = _render(finding(path, preview=preview, severity=severity))
    validator.validate(report)
    text = report["runs"][0]["results"][0]["message"]["text"]
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_a_rule_is_as_severe_as_its_worst_result(finding: Make) -> None:
    report = _render(finding(severity=Severity.MEDIUM), finding("b", severity=Severity.CRITICAL))
    (rule,) = report["runs"][0]["tool"]["driver"]["rules"]
    assert rule["defaultConfiguration"]["level"] == "error"
    assert rule["properties"]["security-severity"] == "9.5"


def test_columns_count_characters_as_the_report_declares(finding: Make) -> None:
    span = Span(line=1, column=14, end_line=1, end_column=54, wide=(3, 3))
    run = _render(finding(span=span))["runs"][0]
    assert run["columnKind"] == "unicodeCodePoints"
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert (region["startColumn"], region["endColumn"]) == (11, 51)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from defusedxml import ElementTree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.scanner.api import Finding, Gap
from stanch.scanner.reports import annotation, junit, step_summary

Make = Callable[..., Finding]
ANY = st.text(st.characters(exclude_categories=()))  # also surrogates and controls
FUNCTION = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _suite(text: str) -> Any:
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    return root[0]


def test_findings_are_failures_gaps_are_errors_and_nothing_is_a_success(finding: Make) -> None:
    suite = _suite(junit.render([], seconds=1.0))
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    gap = Gap(path="x", why="broken", incomplete=True)
    suite = _suite(junit.render([finding(), finding("b")], gaps=[gap], seconds=1.0))
    assert suite.get("tests") == "3"
    assert len(suite.findall("testcase/failure")) == 2
    assert len(suite.findall("testcase/error")) == 1


@FUNCTION
@given(ANY, ANY)
def test_hostile_names_make_neither_broken_xml_nor_new_elements(
    finding: Make, path: str, preview: str
) -> None:
    suite = _suite(junit.render([finding(path, preview=preview)], seconds=0.0))
    assert [each.tag for each in suite.iter()] == ["testsuite", "testcase", "failure"]


@FUNCTION
@given(ANY, ANY)
def test_hostile_names_make_no_annotation_of_their_own(
    finding: Make, path: str, preview: str
) -> None:
    lines = list(annotation.lines([finding(path, preview=f"x\n::set-env name=a::b{preview}")]))
    assert len(lines) == 1
    assert lines[0].splitlines() == lines
    assert lines[0].startswith("::error file=")
    head = lines[0][len("::error ") :].partition("::")[0]
    assert len(head.split(",")) == 6  # file, line, endLine, col, endColumn, title


@FUNCTION
@given(ANY, ANY)
def test_hostile_names_make_no_markup_in_the_summary(finding: Make, path: str, reason: str) -> None:
    hostile = f"{path}<img src=x>[a](http://b)|`@team`"
    text = step_summary.render(
        [finding(hostile)],
        gaps=[Gap(path=hostile, why="w", incomplete=True)],
        waived=[(finding(hostile), hostile + reason)],
        scope="main",
    )
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert len(rows) == 3
    assert len(rows[2].replace("\\|", "").split("|")) == 6
    assert "<img" not in text
    assert "](" not in text
    assert " @team" not in text

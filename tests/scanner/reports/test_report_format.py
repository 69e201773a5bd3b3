from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.scanner.api import Finding, Gap, builtin_rules
from stanch.scanner.reports import annotation, html_page, junit, step_summary
from stanch.scanner.reports.registry import FORMATS, renderer
from stanch.scanner.reports.report import Report

Make = Callable[..., Finding]
ANY = st.text(st.characters(exclude_categories=()))  # also surrogates and controls
FUNCTION = settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])


def _suite(text: str) -> Any:
    root = ElementTree.fromstring(text)
    assert root.tag == "testsuites"
    return root[0]


def test_findings_are_failures_gaps_are_errors_and_nothing_is_a_success(finding: Make) -> None:
    suite = _suite(junit.render(Report(findings=())))
    assert (suite.get("tests"), suite.get("failures")) == ("1", "0")
    gap = Gap(path="x", why="broken", incomplete=True)
    suite = _suite(junit.render(Report(findings=(finding(), finding("b")), gaps=(gap,))))
    assert suite.get("tests") == "3"
    assert len(suite.findall("testcase/failure")) == 2
    assert len(suite.findall("testcase/error")) == 1


@FUNCTION
@given(ANY, ANY)
def test_hostile_names_make_neither_broken_xml_nor_new_elements(
    finding: Make, path: str, preview: str
) -> None:
    suite = _suite(
        junit.render(Report(findings=(finding(path, preview=preview, excerpt=preview),)))
    )
    assert [each.tag for each in suite.iter()] == ["testsuite", "testcase", "failure"]


@FUNCTION
@given(ANY, ANY)
def test_hostile_names_make_no_annotation_of_their_own(
    finding: Make, path: str, preview: str
) -> None:
    hostile = finding(path, excerpt=path, preview=f"x\n::set-env name=a::b{preview}")
    lines = annotation.render(Report(findings=(hostile,))).split("\n")[:-1]
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
        Report(
            findings=(finding(hostile, title=hostile, excerpt=hostile),),
            gaps=(Gap(path=hostile, why="w", incomplete=True),),
            waived=((finding(hostile), hostile + reason),),
            scope="main",
        )
    )
    code = [line for line in text.splitlines() if line.startswith("<pre>")]
    assert len(code) == 2  # the excerpt, and the first line of the commands
    assert "<img" not in text
    outside = re.sub(r"<pre>.*?</pre>", "", text, flags=re.DOTALL)
    assert "](" not in outside
    assert " @team" not in outside


@FUNCTION
@given(ANY, ANY)
def test_hostile_names_make_no_elements_in_the_page(finding: Make, path: str, reason: str) -> None:
    hostile = f"{path}<img src=x>&<script>"
    page = html_page.render(
        Report(
            findings=(finding(hostile, title=reason, excerpt=hostile, commit=True),),
            gaps=(Gap(path=hostile, why=reason, incomplete=True),),
            waived=((finding(hostile), hostile + reason),),
            scope=hostile,
        )
    )
    assert "<img" not in page
    assert "<script" not in page
    assert page.count("<section") == 2


def test_a_page_says_what_where_since_when_and_what_was_not_read(finding: Make) -> None:
    page = html_page.render(
        Report(
            findings=(finding("a.env", commit=True), finding("b.env")),
            gaps=(Gap(path="c.bin", why="broken object", incomplete=True),),
            rules={rule.id: rule for rule in builtin_rules()},
        )
    )
    assert "<h1>1 credential found</h1>" in page
    assert "2026-02-03" in page
    assert "HEAD not known" in page
    assert "no clean bill" in page
    assert "Nothing found" not in html_page.render(
        Report(findings=(), gaps=(Gap(path="x", why="y", incomplete=True),))
    )


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_renders_the_same_report_to_the_same_text(finding: Make, name: str) -> None:
    report = Report(findings=(finding(commit=True, title="A token", excerpt="t = ••••••••"),))
    assert renderer(name)(report) == renderer(name)(report) != ""


def test_a_name_that_is_no_format_is_refused() -> None:
    with pytest.raises(KeyError):
        renderer("pdf")

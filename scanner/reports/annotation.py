"""GitHub's workflow commands: an annotation in the changed file for each finding."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stanch.scanner.model.finding import Finding, Severity
from stanch.scanner.model.fragment import Gap
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.sarif import message

_COMMAND = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
}


def lines(findings: Iterable[Finding], gaps: Iterable[Gap] = ()) -> Iterator[str]:
    """One command a line. Text from outside cannot begin a command or a line of its own."""
    for finding in findings:
        span = finding.span
        column = f",col={span.column},endColumn={span.end_column}"
        place = f"file={_property(finding.path)},line={span.line},endLine={span.end_line}" + (
            column if span.line == span.end_line else ""
        )
        title = _property(f"stanch: {finding.rule}")
        command = _COMMAND[finding.severity]
        yield f"::{command} {place},title={title}::{_data(message(finding))}"
    for gap in gaps:
        if gap.incomplete:
            yield f"::error title=stanch::{_data(f'not read: {gap.path}: {gap.why}')}"


def _data(text: str) -> str:
    """Escaped as actions/toolkit's core.issueCommand does, after what terminals act on."""
    return escaped(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

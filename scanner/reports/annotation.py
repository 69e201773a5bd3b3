"""GitHub's workflow commands: an annotation in the changed file for each finding."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.model.finding import Finding, Severity
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.report import Report, message, what

_COMMAND = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "notice",
}


def render(report: Report) -> str:
    """One command a line."""
    return "".join(f"{line}\n" for line in _lines(report))


def _lines(report: Report) -> Iterator[str]:
    """Text from outside cannot begin a command or a line of its own."""
    for finding in report.findings:
        span = finding.span
        begin, end = span.characters
        column = f",col={begin},endColumn={end}"
        place = f"file={_property(finding.path)},line={span.line},endLine={span.end_line}" + (
            column if span.line == span.end_line else ""
        )
        title = _property(f"stanch: {what(finding)}")
        command = _COMMAND[finding.severity]
        yield f"::{command} {place},title={title}::{_text(finding, report)}"
    for gap in report.incomplete:
        yield f"::error title=stanch::{_data(f'not read: {gap.path}: {gap.why}')}"


def _text(finding: Finding, report: Report) -> str:
    """What it is, and how its author gets on; our own lines stand below each other."""
    where = f" {report.waiving.where}" if report.waiving.where else ""
    lines = (
        message(finding),
        finding.fingerprint,
        f"Take it out and rotate it. If it is no secret, accept it{where}:",
        *report.waiving.commands(finding),
    )
    return "%0A".join(map(_data, lines))


def _data(text: str) -> str:
    """Escaped as actions/toolkit's core.issueCommand does, after what terminals act on."""
    return escaped(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")

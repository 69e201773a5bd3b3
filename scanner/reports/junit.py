"""JUnit XML, which Jenkins and most other pipelines show."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from stanch.scanner.model.finding import Finding
from stanch.scanner.model.fragment import Gap
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.report import Report, message


def render(report: Report) -> str:
    """A failure for each finding, an error for what was not read, one success when all is well."""
    cases = [*map(_failure, report.findings), *map(_error, report.incomplete)]
    seconds = (report.ended - report.began).total_seconds()
    if not cases:
        cases = ['    <testcase classname="stanch" name="no credentials found"/>']
    count = (
        f'tests="{len(cases)}" failures="{len(report.findings)}" errors="{len(report.incomplete)}"'
    )
    return "\n".join(
        (
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<testsuites {count} time="{seconds:.3f}">',
            f'  <testsuite name="stanch" {count} skipped="0" time="{seconds:.3f}">',
            *cases,
            "  </testsuite>",
            "</testsuites>",
            "",
        )
    )


def _failure(finding: Finding) -> str:
    where = f"{finding.path}:{finding.span.line}:{finding.span.column}"
    return (
        f"    <testcase classname={_attribute(f'stanch.{finding.rule}')} name={_attribute(where)}>"
        f"<failure type={_attribute(finding.severity)} message={_attribute(message(finding))}>"
        f"{escape(escaped(where))} {escape(finding.fingerprint)}</failure></testcase>"
    )


def _error(gap: Gap) -> str:
    return (
        f'    <testcase classname="stanch.incomplete" name={_attribute(gap.path)}>'
        f"<error message={_attribute(f'not read: {gap.why}')}/></testcase>"
    )


def _attribute(text: str) -> str:
    """Quoted; characters that XML 1.0 forbids even as references are written out."""
    return quoteattr(escaped(text))

"""Findings as JSON lines: the contract that programs build on. Keys and their order are stable."""

from __future__ import annotations

from stanch.scanner.model.finding import Finding, Span
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.reports.report import Report


def render(report: Report) -> str:
    """A line for each finding."""
    return "".join(line(finding) + "\n" for finding in report.findings)


def line(finding: Finding) -> str:
    """One finding as one line of ASCII, without the newline; what does not apply is null."""
    import json  # noqa: PLC0415  # a scan without findings, or with a table, needs none

    span = finding.span
    waiver = finding.waiver
    commit = finding.provenance if isinstance(finding.provenance, InCommit) else None
    suppressed = (
        {"suppressed": {"by": waiver.source.value, "reason": waiver.reason}}
        if waiver is not None and waiver.hides
        else {}
    )
    also = {"also": [_place(each) for each in finding.also]} if finding.also else {}
    return json.dumps(
        {
            "rule": finding.rule,
            "provider": finding.provider,
            "kind": finding.kind,
            "path": finding.path,
            "line": span.line,
            "column": span.column,
            "end_line": span.end_line,
            "end_column": span.end_column,
            "source": finding.provenance.source,
            "commit": finding.commit,
            "author": commit.author if commit else None,
            "date": f"{commit.committed_at:%Y-%m-%dT%H:%M:%SZ}" if commit else None,
            "in_head": commit.in_head if commit else None,
            "link": commit.link if commit else None,
            "layer": None,
            "job": None,
            "fingerprint": finding.fingerprint,
            "preview": finding.preview,
            "severity": finding.severity.value,
            "confidence": finding.confidence.value,
            "reason": finding.reason,
            "title": finding.title,
            "excerpt": finding.excerpt,
            **also,  # only where a credential has several parts
            **suppressed,  # only where `--show-suppressed` lets such findings through
        }
    )


def _place(span: Span) -> dict[str, int]:
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }

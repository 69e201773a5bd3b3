"""Findings as JSON lines: the contract that programs build on. Keys and their order are stable."""

from __future__ import annotations

from typing import Any

from stanch.scanner.model.finding import Finding, Span
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.reports.report import Report


def render(report: Report) -> str:
    """A line for each finding."""
    return "".join(line(finding) + "\n" for finding in report.findings)


def line(finding: Finding) -> str:
    """One finding as one line of ASCII, without the newline; what does not apply is null."""
    import json  # noqa: PLC0415  # a scan without findings, or with a table, needs none

    details = finding.provenance.details
    row: dict[str, Any] = {
        "rule": finding.rule,
        "provider": finding.provider,
        "kind": finding.kind,
        "path": finding.path,
        **_place(finding.span),
        "source": finding.provenance.source,
        **_commit(finding),
        "layer": details.get("layer"),
        "job": details.get("job"),
        "fingerprint": finding.fingerprint,
        "preview": finding.preview,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "reason": finding.reason,
        "title": finding.title,
        "excerpt": finding.excerpt,
    }
    if finding.within:  # a key of JSON, a recorded header, the time of a command
        row["within"] = finding.within
    if finding.also:  # a credential of several parts
        row["also"] = [_place(each) for each in finding.also]
    if details:  # what only this kind of source has: an image, a log
        row["details"] = dict(details)
    if finding.waiver is not None and finding.waiver.hides:  # with `--show-suppressed`
        row["suppressed"] = {"by": finding.waiver.source.value, "reason": finding.waiver.reason}
    return json.dumps(row)


def _commit(finding: Finding) -> dict[str, object]:
    place = finding.provenance
    if not isinstance(place, InCommit):
        return {**dict.fromkeys(("commit", "author", "date", "in_head")), "link": place.link}
    return {
        "commit": place.commit,
        "author": place.author,
        "date": f"{place.committed_at:%Y-%m-%dT%H:%M:%SZ}",
        "in_head": place.in_head,
        "link": place.link,
    }


def _place(span: Span) -> dict[str, int]:
    return {
        "line": span.line,
        "column": span.column,
        "end_line": span.end_line,
        "end_column": span.end_column,
    }

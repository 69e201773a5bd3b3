"""Findings as comma-separated values (RFC 4180), for spreadsheets: a row for each place.

A program that opens such a file takes a cell that begins with ``=``, ``+``, ``-`` or ``@`` for a
formula, and what is found is written by strangers: those cells get an apostrophe in front, which
spreadsheets show as text (OWASP, CSV injection).
"""

from __future__ import annotations

import csv
from io import StringIO

from stanch.scanner.model.finding import Finding
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.report import Report, what

COLUMNS = (
    *("severity", "confidence", "credential", "preview", "path", "line", "source", "where"),
    *("introduced_by", "introduced_at", "in_head", "link", "provider", "kind", "rule", "reason"),
    *("fingerprint", "accepted"),
)
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def render(report: Report) -> str:
    """A heading and the rows; what is accepted comes last, with the reason."""
    out = StringIO()
    written = csv.writer(out, lineterminator="\r\n")
    written.writerow(COLUMNS)
    for finding in report.findings:
        written.writerow(_row(finding, ""))
    for finding, reason in report.waived:
        written.writerow(_row(finding, reason))
    for gap in report.incomplete:
        written.writerow(_padded({"severity": "not read", "path": gap.path, "reason": gap.why}))
    return out.getvalue()


def _row(finding: Finding, accepted: str) -> list[str]:
    place = finding.provenance
    commit = place if isinstance(place, InCommit) else None
    return _padded(
        {
            "severity": finding.severity.value,
            "confidence": finding.confidence.value,
            "credential": what(finding),
            "preview": finding.preview,
            "path": finding.path,
            "line": str(finding.span.line),
            "source": place.source,
            "where": place.words,
            "introduced_by": commit.author if commit else "",
            "introduced_at": f"{commit.committed_at:%Y-%m-%dT%H:%M:%SZ}" if commit else "",
            "in_head": str(commit.in_head).lower() if commit and commit.in_head is not None else "",
            "link": place.link or "",
            "provider": finding.provider,
            "kind": finding.kind,
            "rule": finding.rule,
            "reason": finding.reason,
            "fingerprint": finding.fingerprint,
            "accepted": accepted,
        }
    )


def _padded(said: dict[str, str]) -> list[str]:
    return [_cell(said.get(column, "")) for column in COLUMNS]


def _cell(text: str) -> str:
    shown = escaped(text)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown

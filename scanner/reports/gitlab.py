"""GitLab's secret detection report (``gl-secret-detection-report.json``, schema 15)."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import Any

from stanch.scanner.model.finding import Finding
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.model.rule import Rule
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.report import Report, message, what

VERSION = "15.0.7"
_NO_COMMIT = "0000000"


def render(report: Report) -> str:
    """The report. GitLab wants its instants in UTC without a zone."""
    tool = {
        "id": "stanch",
        "name": "Stanch",
        "version": report.version,
        "vendor": {"name": "Stanch"},
    }
    told = {
        "version": VERSION,
        "scan": {
            "analyzer": tool,
            "scanner": tool,
            "type": "secret_detection",
            "start_time": _instant(report.began),
            "end_time": _instant(report.ended),
            "status": "failure" if report.incomplete else "success",
            "messages": [
                {"level": "fatal", "value": f"not read: {escaped(gap.path)}: {escaped(gap.why)}"}
                for gap in report.incomplete
            ],
        },
        "vulnerabilities": [
            _vulnerability(each, report.rules.get(each.rule)) for each in report.findings
        ],
    }
    return json.dumps(told, indent=2) + "\n"


def _vulnerability(finding: Finding, rule: Rule | None) -> dict[str, Any]:
    place = finding.provenance
    location: dict[str, Any] = {
        "file": escaped(finding.path),
        "start_line": finding.span.line,
        "end_line": finding.span.end_line,
        "commit": {"sha": _NO_COMMIT},
    }
    if isinstance(place, InCommit):
        location["commit"] = {
            "sha": place.commit,
            "author": escaped(place.author),
            "date": _instant(place.committed_at),
        }
    found: dict[str, Any] = {
        "id": _identity(finding),
        "name": what(finding),
        "description": message(finding),
        "severity": finding.severity.value.title(),
        "location": location,
        "identifiers": [
            {"type": "stanch_rule_id", "name": f"Stanch {finding.rule}", "value": finding.rule}
        ],
    }
    if rule is not None:
        found["solution"] = rule.remedy
        if rule.link.startswith("https://"):
            found["links"] = [{"url": rule.link}]
    return found


def _identity(finding: Finding) -> str:
    """The same for the same credential in the same file, so that GitLab keeps what was decided."""
    named = f"{finding.fingerprint}\0{finding.path}\0{finding.commit}\0{finding.span}".encode()
    return hashlib.sha256(named).hexdigest()


def _instant(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")

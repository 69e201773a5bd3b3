"""SARIF 2.1.0 (OASIS), as GitHub code scanning and others read it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from stanch.scanner.model.finding import Finding, Severity, Span
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.model.rule import Rule
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.report import Report, message

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)
_LEVEL = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
# GitHub sorts alerts by this number (its own scale of severities, as for CVSS).
_SCORE = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}


def render(report: Report) -> str:
    """One run with a result for each finding; what was not read is told as a notification."""
    worst: dict[str, Severity] = {}
    for finding in report.findings:
        known = worst.get(finding.rule, finding.severity)
        worst[finding.rule] = max(known, finding.severity, key=tuple(Severity).index)
    named = sorted(worst)
    numbers = {rule: number for number, rule in enumerate(named)}
    run: dict[str, Any] = {
        "tool": {
            "driver": {
                "name": "stanch",
                "semanticVersion": report.version,
                "rules": [_rule(each, report.rules.get(each), worst[each]) for each in named],
            }
        },
        "invocations": [
            {
                "executionSuccessful": not report.incomplete,
                "toolExecutionNotifications": [
                    {
                        "level": "error",
                        "message": {"text": f"not read: {escaped(gap.path)}: {escaped(gap.why)}"},
                    }
                    for gap in report.incomplete
                ],
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, numbers[finding.rule]) for finding in report.findings],
    }
    return json.dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rule(name: str, rule: Rule | None, worst: Severity) -> dict[str, Any]:
    if rule is None:  # a plugin of the user
        return {"id": name, "shortDescription": {"text": name}}
    described: dict[str, Any] = {
        "id": name,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": f"{rule.title} ({rule.provider} {rule.kind})"},
        "help": {"text": rule.remedy},
        "defaultConfiguration": {"level": _LEVEL[worst]},
        "properties": {
            "tags": ["security", "secret", rule.provider],
            "security-severity": _SCORE[worst],  # a pair is worse than its half
        },
    }
    if rule.link.startswith("https://"):
        described["helpUri"] = rule.link
    return described


def _result(finding: Finding, number: int) -> dict[str, Any]:
    related = [_location(finding, each) for each in finding.also]
    properties: dict[str, Any] = {
        "provider": finding.provider,
        "kind": finding.kind,
        "severity": finding.severity.value,
        "confidence": finding.confidence.value,
        "source": finding.provenance.source,
    }
    properties |= {k: v for k, v in finding.provenance.details.items() if v is not None}
    if isinstance(finding.provenance, InCommit):
        properties["commit"] = finding.provenance.commit
    return {
        "ruleId": finding.rule,
        "ruleIndex": number,
        "level": _LEVEL[finding.severity],
        "message": {"text": message(finding)},
        "locations": [_location(finding, finding.span)],
        **({"relatedLocations": related} if related else {}),
        "partialFingerprints": {"stanch/v1": finding.fingerprint},
        "properties": properties,
    }


def _location(finding: Finding, span: Span) -> dict[str, Any]:
    column, end_column = span.characters
    logical = [{"fullyQualifiedName": finding.within, "kind": "member"}] if finding.within else []
    return {
        **({"logicalLocations": logical} if logical else {}),
        "physicalLocation": {
            "artifactLocation": {"uri": quote(finding.path), "uriBaseId": "%SRCROOT%"},
            "region": {
                "startLine": span.line,
                "startColumn": column,
                "endLine": span.end_line,
                "endColumn": end_column,
            },
        },
    }

"""A summary in Markdown, as GitHub shows below a job (``$GITHUB_STEP_SUMMARY``)."""

from __future__ import annotations

import html
from collections.abc import Sequence

from stanch.scanner.model.finding import Finding
from stanch.scanner.model.fragment import Gap
from stanch.scanner.reports.escape import escaped

_SHOWN = 100  # GitHub cuts a summary at 1 MiB
_SPECIAL = str.maketrans({each: f"\\{each}" for each in "\\`*_{}[]()#+-.!|~:@"})


def render(
    findings: Sequence[Finding], *, gaps: Sequence[Gap], waived: Sequence[tuple[Finding, str]],
    scope: str,
) -> str:  # fmt: skip
    """A headline, a table of findings, what was waived and why, what was not read."""
    count = len({finding.fingerprint for finding in findings})
    noun = "credential" if count == 1 else "credentials"
    title = f"{count} {noun} found" if count else "No credentials found"
    parts = [f"### Stanch: {title}", "", f"Checked: {text(scope)}.", ""]
    if findings:
        parts += ["| Severity | What | Where | Commit |", "|---|---|---|---|"]
        parts += [_row(finding) for finding in findings[:_SHOWN]]
        if len(findings) > _SHOWN:
            parts.append(f"| | {len(findings) - _SHOWN} more | | |")
        parts += [
            "",
            (
                "Take each value out of the change and rotate it: whoever can read this repository "
                "has it. What is no secret can be waived with `stanch baseline add`."
            ),
            "",
        ]
    if waived:
        parts += ["<details><summary>Waived</summary>", ""]
        parts += [f"- {_where(each)}: {text(reason)}" for each, reason in waived[:_SHOWN]]
        parts += ["", "</details>", ""]
    incomplete = [gap for gap in gaps if gap.incomplete]
    if incomplete:
        parts += ["**Incomplete:** this is not a clean bill. Not read:", ""]
        parts += [f"- {text(gap.path)}: {text(gap.why)}" for gap in incomplete[:_SHOWN]]
        parts.append("")
    return "\n".join(parts) + "\n"


def text(raw: str) -> str:
    """Text from outside as nothing but text: no markup, no HTML, no mention, no link."""
    return html.escape(escaped(raw), quote=False).translate(_SPECIAL)


def _row(finding: Finding) -> str:
    what = f"{text(finding.provider)} {text(finding.kind)} {text(finding.preview)}"
    commit = finding.commit[:12] if finding.commit else ""
    return f"| {finding.severity} | {what} | {_where(finding)} | {commit} |"


def _where(finding: Finding) -> str:
    return f"{text(finding.path)}, line {finding.span.line}"

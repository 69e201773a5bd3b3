"""A summary in Markdown, as GitHub shows below a job (``$GITHUB_STEP_SUMMARY``)."""

from __future__ import annotations

import html

from stanch.scanner.model.finding import Finding
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.report import Report, what

_SHOWN = 100  # GitHub cuts a summary at 1 MiB
_PLACES = 5  # of one credential
_SPECIAL = str.maketrans({each: f"\\{each}" for each in "\\`*_{}[]()#+-.!|~:@"})


def render(report: Report) -> str:
    """A headline, each credential with its way out, what was waived and why, what was not read."""
    count = len(report.credentials)
    noun = "credential" if count == 1 else "credentials"
    title = f"{count} {noun} found" if count else "No credentials found"
    if report.incomplete and not count:
        title = "Not everything was read"
    parts = [f"### Stanch: {title}", "", f"Checked: {text(report.scope)}.", ""]
    for group in report.credentials[:_SHOWN]:
        parts += _credential(group, report)
    if count > _SHOWN:
        parts += [f"{count - _SHOWN} more credentials.", ""]
    if count:
        parts += [
            "Take each value out of the change and rotate it: who reads this repository has it.",
            "",
        ]
    if report.waived:
        parts += ["<details><summary>Waived</summary>", ""]
        parts += [f"- {_where(each)}: {text(reason)}" for each, reason in report.waived[:_SHOWN]]
        parts += ["", "</details>", ""]
    if report.incomplete:
        parts += ["**Incomplete:** this is not a clean bill. Not read:", ""]
        parts += [f"- {text(gap.path)}: {text(gap.why)}" for gap in report.incomplete[:_SHOWN]]
        parts.append("")
    return "\n".join(parts) + "\n"


def _credential(group: tuple[Finding, ...], report: Report) -> list[str]:
    first = group[0]
    waiver = first.waiver.void if first.waiver is not None else None
    where = f" {report.waiving.where}" if report.waiving.where else ""
    return [
        f"#### {first.severity}: {text(what(first))} {text(first.preview)}",
        "",
        *(f"- {_where(each)}" for each in group[:_PLACES]),
        *([f"- {len(group) - _PLACES} more places"] if len(group) > _PLACES else []),
        "",
        *([_code(first.excerpt), ""] if first.excerpt else []),
        *([f"Not accepted: {text(waiver)}", ""] if waiver else []),
        f"<details><summary>If it is no secret, accept it{where}</summary>",
        "",
        _code("\n".join(report.waiving.commands(first))),
        "",
        f"{_sure(first)}, rule {text(first.rule)}, {text(first.fingerprint)}",
        "",
        "</details>",
        "",
    ]


def _sure(finding: Finding) -> str:
    return f"{finding.confidence} confidence ({text(finding.reason)})"


def _code(raw: str) -> str:
    """A block of code; HTML, since no line of a stranger can end it there."""
    lines = "\n".join(html.escape(escaped(line)) for line in raw.split("\n"))
    return f"<pre><code>{lines}</code></pre>"


def text(raw: str) -> str:
    """Text from outside as nothing but text: no markup, no HTML, no mention, no link."""
    return html.escape(escaped(raw), quote=False).translate(_SPECIAL)


def _where(finding: Finding) -> str:
    commit = f", commit {finding.commit[:12]}" if finding.commit else ""
    return f"{text(finding.path)}, line {finding.span.line}{commit}"

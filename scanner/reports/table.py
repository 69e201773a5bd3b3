"""Findings for people: one paragraph for each credential, most severe first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from rich.console import Console
from rich.text import Text

from stanch.scanner.model.finding import Finding, Severity
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.explain import why as explanation

_WIDTH = 80
_SHOWN = 3  # places of one credential; the JSON lines have all of them
_COLOUR = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
}


def credentials(findings: Iterable[Finding]) -> list[list[Finding]]:
    """Findings grouped by credential: the most severe first, then in the order they were found."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.fingerprint, []).append(finding)
    order = tuple(Severity)
    return sorted(groups.values(), key=lambda group: -order.index(group[0].severity))


def write(findings: Iterable[Finding], out: IO[str], *, explain: bool = False) -> None:
    """Write the table; colours only when ``out`` is a terminal, never wider than 80 columns.

    With ``explain`` each credential says in sentences why it is one.
    """
    console = Console(file=out, highlight=False, emoji=False, markup=False)
    console.width = min(console.width, _WIDTH) if console.is_terminal else _WIDTH
    for group in credentials(findings):
        console.print(_title(group[0]))
        for finding in group[:_SHOWN]:
            console.print(Text("  " + _place(finding)), overflow="fold")
        if len(group) > _SHOWN:
            console.print(Text(f"  +{len(group) - _SHOWN} more places", style="dim"))
        why = f"  {group[0].confidence} confidence: {escaped(group[0].reason)}"
        console.print(Text(f"{why} · {group[0].fingerprint}", style="dim"), overflow="fold")
        for sentence in explanation(group[0]) if explain else ():
            console.print(Text(f"  - {escaped(sentence)}"), overflow="fold")
        console.print()


def _title(finding: Finding) -> Text:
    title = Text(finding.severity.upper().ljust(9), style=_COLOUR[finding.severity])
    title.append(f"{finding.provider} {finding.kind}", style="bold not dim default")
    title.append(f"  {escaped(finding.preview)}", style="not bold default")
    return title


def _place(finding: Finding) -> str:
    where = f"{escaped(finding.path)}:{finding.span.line}"
    where += "".join(f", {each.line}" for each in finding.also)  # where its other parts stand
    place = finding.provenance
    if isinstance(place, InCommit):
        return f"{where}  since {place.commit[:10]} {place.committed_at:%Y-%m-%d}"
    return where if place.source == "worktree" else f"{where}  {place.source}"

"""Findings for people: one paragraph for each credential, most severe first."""

from __future__ import annotations

import textwrap
from io import StringIO
from typing import IO

from rich.console import Console
from rich.text import Text

from stanch.scanner.model.finding import Finding, Severity
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.explain import why as explanation
from stanch.scanner.reports.report import Report, what

_WIDTH = 80
_SHOWN = 3  # places of one credential; the JSON lines have all of them
_COLOUR = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "blue",
}


def render(report: Report) -> str:
    """The table without colours, 80 columns wide."""
    out = StringIO()
    write(report, out)
    return out.getvalue()


def write(report: Report, out: IO[str], *, explain: bool = False) -> None:
    """Write the table; colours only when ``out`` is a terminal, never wider than 80 columns.

    With ``explain`` each credential says in sentences why it is one.
    """
    console = Console(file=out, highlight=False, emoji=False, markup=False)
    console.width = min(console.width, _WIDTH) if console.is_terminal else _WIDTH
    for group in report.credentials:
        first = group[0]
        console.print(_title(first), overflow="fold")
        for finding in group[:_SHOWN]:
            console.print(Text(f"  {_place(finding)}"), overflow="fold")
        if len(group) > _SHOWN:
            console.print(Text(f"  +{_counted(len(group) - _SHOWN)}", style="dim"))
        if first.excerpt:
            console.print(Text(f"    {escaped(first.excerpt)}", style="bold"), overflow="fold")
        why = f"  {first.confidence} confidence: {escaped(first.reason)} · {first.rule}"
        console.print(Text(why, style="dim"), overflow="fold")
        console.print(Text(f"  {first.fingerprint}", style="dim"), overflow="fold")
        for sentence in explanation(first) if explain else ():
            wrapped = textwrap.wrap(escaped(sentence), _WIDTH - 4)
            console.print(Text("  - " + "\n    ".join(wrapped)), overflow="fold")
        console.print()


def _counted(places: int) -> str:
    return f"{places} more {'place' if places == 1 else 'places'}"


def _title(finding: Finding) -> Text:
    title = Text(finding.severity.upper().ljust(9), style=_COLOUR[finding.severity])
    title.append(escaped(what(finding)), style="bold not dim default")
    title.append(f"  {escaped(finding.preview)}", style="not bold default")
    return title


def _place(finding: Finding) -> str:
    where = f"{escaped(finding.path)}:{finding.span.line}"
    where += "".join(f", {each.line}" for each in finding.also)  # where its other parts stand
    within = f"  in {escaped(finding.within)}" if finding.within else ""
    return f"{where}{within}  {escaped(finding.provenance.words)}".rstrip()

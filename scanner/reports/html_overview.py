"""What stands above the credentials on the page: by whom, where, since when, and a filter.

The filter is made of boxes and rules of style: nothing runs in the page, and its policy says so.
"""

from __future__ import annotations

import html
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from stanch.scanner.model.finding import Finding, Severity
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.model.record import Record
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.report import Report

_ROWS = 12  # of one table; the rest is one more row
_OTHERS = "all others"
_UNKNOWN = "not known"
_AGES = (
    (timedelta(days=1), "a day"),
    (timedelta(days=7), "a week"),
    (timedelta(days=31), "a month"),
    (timedelta(days=366), "a year"),
    (timedelta(days=3 * 366), "three years"),
    (timedelta.max, "longer"),
)
_FOLDERS = 2
_BAR = 100

Group = tuple[Finding, ...]


class Facet(Record):
    """One way to sort the credentials: its name, and for each credential what it is there."""

    key: str
    name: str
    values: tuple[str, ...]

    @property
    def rows(self) -> list[tuple[str, int]]:
        """What there is and how often, the most frequent first."""
        if self.key == "age":
            counts = Counter(self.values)
            order = [name for _, name in _AGES] + [_UNKNOWN]
            return [(name, counts[name]) for name in order if counts[name]]
        counted = Counter(self.values).most_common()
        rest = sum(count for _, count in counted[_ROWS:])
        return counted[:_ROWS] + ([(_OTHERS, rest)] if rest else [])

    def mark(self, number: int) -> str:
        """The class of a credential's section."""
        names = [name for name, _ in self.rows]
        value = self.values[number]
        return f"{self.key}{names.index(value if value in names else _OTHERS)}"


def facets(report: Report) -> tuple[Facet, ...]:
    """The ways in which this report's credentials differ; a credential counts once in each."""
    groups = report.credentials
    ways = (
        ("provider", "Provider", [group[0].provider for group in groups]),
        ("place", "Where", [_place(group[0]) for group in groups]),
        ("age", "Exposed for up to", [_age(group, report.ended) for group in groups]),
        ("owner", "Introduced by", [_author(group) for group in groups]),
    )
    made = (Facet(key=key, name=name, values=tuple(values)) for key, name, values in ways)
    return tuple(facet for facet in made if len(facet.rows) > 1)


def overview(ways: Sequence[Facet], report: Report) -> list[str]:
    """A table with bars for each way, whose boxes show and hide."""
    severities = [each for each in reversed(Severity) if _severe(report, each)]
    if len(severities) > 1:
        rows = [(str(each), _severe(report, each)) for each in severities]
        first = [_table("severity", "Severity", rows)]
    else:
        first = []
    tables = first + [_table(way.key, way.name, way.rows) for way in ways]
    if not tables:
        return []
    summary = "Overview and filter: a box shows or hides"
    inner = f"<div class=ways>{''.join(tables)}</div>"
    return [f"<details class=filter open><summary>{summary}</summary>{inner}</details>"]


def rules(ways: Sequence[Facet]) -> str:
    """The style that hides what a box was taken from."""
    marks = [(f"severity{n}", f".{each}") for n, each in enumerate(reversed(Severity))]
    for way in ways:
        marks += [(f"{way.key}{n}", f".{way.key}{n}") for n in range(len(way.rows))]
    return "\n".join(
        f"main:has(#{box}:not(:checked)) section{css} {{ display: none; }}" for box, css in marks
    )


def _table(key: str, name: str, rows: Sequence[tuple[str, int]]) -> str:
    most = max(count for _, count in rows)
    order = [str(each) for each in reversed(Severity)]
    lines = []
    for number, (label, count) in enumerate(rows):
        box = f"{key}{order.index(label) if key == 'severity' else number}"
        width = f"{_BAR * count / most:.1f}"
        kind = label if key == "severity" else "bar"
        bar = (
            f'<svg viewBox="0 0 {_BAR} 8" preserveAspectRatio="none" aria-hidden="true">'
            f'<rect class="{kind}" width="{width}" height="8"/></svg>'
        )
        lines.append(
            f"<tr><td><label><input type=checkbox id={box} checked> {_text(label)}</label>"
            f"<td class=count>{count}<td class=bars>{bar}"
        )
    return f"<table><caption>{name}</caption>{''.join(lines)}</table>"


def _severe(report: Report, severity: Severity) -> int:
    return sum(group[0].severity is severity for group in report.credentials)


def _place(finding: Finding) -> str:
    """The image, the log, or the folder."""
    details = finding.provenance.details
    for key in ("image", "run"):
        if isinstance(named := details.get(key), str):
            return named
    folders = finding.path.partition("!")[0].split("/")[:-1]
    return "/".join(folders[:_FOLDERS]) or "."


def _age(group: Group, now: datetime) -> str:
    known = [
        each.provenance.committed_at for each in group if isinstance(each.provenance, InCommit)
    ]
    if not known:
        return _UNKNOWN
    age = now - min(known)
    return next(name for most, name in _AGES if age <= most)


def _author(group: Group) -> str:
    """Who brought it in first."""
    commits = [each.provenance for each in group if isinstance(each.provenance, InCommit)]
    if not commits:
        return _UNKNOWN
    author = min(commits, key=lambda each: each.committed_at).author
    return author.partition(" <")[0].strip() or _UNKNOWN


def _text(raw: str) -> str:
    return f"<bdi>{html.escape(escaped(raw))}</bdi>"

"""One self-contained page: what was found, by credential, with how old it is and where it stands.

It loads nothing and runs nothing: its policy allows the style that is in it, by its hash.
"""

from __future__ import annotations

import base64
import hashlib
import html
from collections import Counter
from importlib.resources import files

from stanch.scanner.model.finding import Finding, Severity
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.reports.escape import escaped
from stanch.scanner.reports.explain import why
from stanch.scanner.reports.html_overview import facets, overview, rules
from stanch.scanner.reports.report import Report, what

_PLACES = 50  # of one credential; the JSON lines have all
_BAR = 560  # pixels


def render(report: Report) -> str:
    """The page."""
    ways = facets(report)
    style = (files("stanch.scanner.reports") / "html_page.css").read_text(encoding="utf-8")
    style += rules(ways)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'"
    count = len(report.credentials)
    parts = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>Stanch: {_credentials(count)}</title>",
        f"<style>{style}</style></head><body><main>",
        f"<h1>{_credentials(count)} found</h1>" if count else _nothing(report),
        f"<p class=scope>{_text(report.scope)} · {report.ended:%Y-%m-%d %H:%M} UTC</p>",
        *_pictures(report),
        *_gaps(report),
        *overview(ways, report),
        *(
            _credential(group, report, [way.mark(number) for way in ways])
            for number, group in enumerate(report.credentials)
        ),
        *_waived(report),
        f"<footer>Stanch {_text(report.version)}. No value is in this page.</footer>",
        "</main></body></html>",
    ]
    return "\n".join(parts) + "\n"


def _nothing(report: Report) -> str:
    return "<h1>Not everything was read</h1>" if report.incomplete else "<h1>Nothing found</h1>"


def _pictures(report: Report) -> list[str]:
    """How many credentials of each severity."""
    if not report.credentials:
        return []
    firsts = [group[0] for group in report.credentials]
    severities = Counter(each.severity for each in firsts)
    at, bars = 0.0, []
    for severity in reversed(Severity):
        width = _BAR * severities[severity] / len(firsts)
        if width:
            label = f"{severities[severity]} {severity}"
            bars.append(
                f'<rect class="{severity}" x="{at:.1f}" y="0" width="{width:.1f}" height="20">'
                f"<title>{label}</title></rect>"
            )
        at += width
    legend = ", ".join(
        f"{severities[each]} {each}" for each in reversed(Severity) if severities[each]
    )
    size = f'viewBox="0 0 {_BAR} 20" preserveAspectRatio="none"'
    bar = f'<svg {size} role="img" aria-label="{legend}">{"".join(bars)}</svg>'
    return [f"<figure>{bar}<figcaption>{legend}</figcaption></figure>"]


def _credential(group: tuple[Finding, ...], report: Report, marks: list[str]) -> str:
    first = group[0]
    rule = report.rules.get(first.rule)
    link = rule.link if rule is not None and rule.link.startswith("https://") else None
    remedy = f"<p>{_text(rule.remedy)}" if rule is not None else ""
    if link and remedy:
        remedy += f' <a href="{html.escape(link)}" rel="noreferrer">How</a>'
    places = "".join(f"<li>{_place(each)}" for each in group[:_PLACES])
    more = f"<li>{len(group) - _PLACES} more" if len(group) > _PLACES else ""
    commands = "\n".join(report.waiving.commands(first))
    sentences = "".join(f"<li>{_text(each)}" for each in why(first))
    return (
        f'<section class="{" ".join((first.severity, *marks))}">'
        f"<h2><span>{first.severity}</span> {_text(what(first))} "
        f"<code>{_text(first.preview)}</code></h2>"
        f"{f'<pre>{_text(first.excerpt)}</pre>' if first.excerpt else ''}"
        f"<ul>{places}{more}</ul>{remedy}"
        f"<details><summary>Why, and what if it is no secret</summary><ul>{sentences}</ul>"
        f"<pre>{html.escape(commands)}</pre><p><code>{_text(first.fingerprint)}</code></details>"
        "</section>"
    )


def _place(finding: Finding) -> str:
    where = f"<code>{_text(finding.path)}:{finding.span.line}</code>"
    place = finding.provenance
    if place.link:
        where = f'<a href="{html.escape(place.link)}" rel="noreferrer">{where}</a>'
    if not isinstance(place, InCommit):
        return f"{where} {_text(place.words or place.source)}"
    still = {True: "still in HEAD", False: "gone from HEAD", None: "HEAD not known"}[place.in_head]
    return (
        f"{where} since <code>{place.commit[:12]}</code>, {place.committed_at:%Y-%m-%d}, "
        f"{_text(place.author)} · {still}"
    )


def _gaps(report: Report) -> list[str]:
    """What was not read, by the reason; the title says it before anything is opened."""
    reasons: dict[str, list[str]] = {}
    for gap in report.incomplete:
        reasons.setdefault(gap.why, []).append(gap.path)
    if not reasons:
        return []
    rows = []
    for reason, paths in reasons.items():
        listed = "".join(f"<li>{_text(path)}" for path in paths[:_PLACES])
        more = f"<li>{len(paths) - _PLACES} more" if len(paths) > _PLACES else ""
        summary = f"<summary>{len(paths)} × {_text(reason)}</summary>"
        rows.append(f"<details>{summary}<ul>{listed}{more}</ul></details>")
    title = "<h2>Not read: this is no clean bill</h2>"
    return [f"<section class=gap>{title}{''.join(rows)}</section>"]


def _waived(report: Report) -> list[str]:
    if not report.waived:
        return []
    rows = "".join(
        f"<li><code>{_text(each.path)}:{each.span.line}</code> {_text(what(each))}: {_text(reason)}"
        for each, reason in report.waived
    )
    return [f"<details><summary>{len(report.waived)} accepted</summary><ul>{rows}</ul></details>"]


def _credentials(count: int) -> str:
    return f"{count} credential{'' if count == 1 else 's'}"


def _text(raw: str) -> str:
    """Text from outside as nothing but text."""
    return f"<bdi>{html.escape(escaped(raw))}</bdi>"

"""The picture: who did what when, over the shaded exposure, and the phases below. Inline SVG.

A pure function of the report. Colours come from the page's style sheet through classes, so that the
picture follows light, dark and print; there is no script, no style attribute, no address.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from html import escape
from itertools import pairwise

from stanch.responder.postmortem.lane import LEFT, RIGHT, Drawn, people, phases, tools, uses
from stanch.responder.postmortem.report import Lane, Report
from stanch.responder.postmortem.scale import Panel, Scale, scale
from stanch.responder.postmortem.svg import Rows, line, rect, text, width
from stanch.responder.postmortem.text import instant, since, span

_BEFORE, _AFTER = 0.27, 0.13  # shares of the width before detection and after the response
_FLAG = 16.0
_TICK_APART = 46.0


def chart(report: Report) -> str:
    """The swim lanes and the phases as one ``<svg>``: the same bytes for the same report."""
    time = _scale(report)
    flags = _flags(report, time)
    top = flags.bottom
    key = uses(report, time, top + 8)
    tooling = tools(report, time, key.bottom + 12)
    persons = people(report, time, tooling.bottom + 12)
    floor = persons.bottom + 6
    under = phases(report, time, floor + 38)
    lanes = ((top + 8, "key holder"), (key.bottom + 12, "tooling"), (tooling.bottom + 12, "people"))
    height = under.bottom + 6
    marked = [time.at(at) for at, _ in _marks(report)]
    shapes = (
        *_areas(report, time, top, floor),
        *(line(LEFT - 142, y - 6, RIGHT, y - 6, kind="rule") for y, _ in lanes),
        line(LEFT - 142, floor, RIGHT, floor, kind="rule"),
        *(line(x, top, x, floor, kind="mark") for x in marked),
        *(line(x, floor + 36, x, height - 6, kind="mark") for x in marked),
        *flags.shapes,
        *(text(LEFT - 10, y + 13, name, kind="name", anchor="end") for y, name in lanes),
        text(LEFT - 10, top + 35, _counted(report), kind="faint", anchor="end"),
        *key.shapes,
        *tooling.shapes,
        *persons.shapes,
        *_axis(report, time, floor),
        *under.shapes,
    )
    return "\n".join((_head(report, height), *shapes, "</svg>")) + "\n"


def _head(report: Report, height: float) -> str:
    clocks = ", ".join(
        f"{clock.name.lower()} " + (f"after {span(clock.took)}" if clock.took else report.unreached)
        for clock in report.clocks
    )
    about = (
        f"{report.status}. Exposed for {exposed(report)}. Counted from detection: {clocks}. "
        f"Calls with the credential: {_counted(report)}."
    )
    return (
        '<svg class="chart" role="img" aria-labelledby="chart-title chart-about" '
        f'viewBox="0 0 1000 {height:.0f}">'
        f'<title id="chart-title">Timeline of {escape(report.label)}</title>'
        f'<desc id="chart-about">{escape(about)}</desc>'
    )


def exposed(report: Report) -> str:
    """``at least 3 d 4 h``: the exposure window in words."""
    return ("at least " if report.window.at_least else "") + span(report.window.lasted)


def _counted(report: Report) -> str:
    if report.activity is None:
        return "use unknown"
    denied = report.activity.denied
    return f"{report.activity.count - denied} answered, {denied} refused"


def _marks(report: Report) -> tuple[tuple[datetime, str], ...]:
    names = ("asked", "verified", "dead")
    reached = zip(report.clocks, names, strict=True)
    return (
        (report.detected_at, "detected"),
        *((clock.at, name) for clock, name in reached if clock.at),
    )


def _scale(report: Report) -> Scale:
    """Three panels, so that neither the quiet before nor the echoes after squeeze the response."""
    detected, opened = report.detected_at, report.window.opened_at
    acts = [t for act in report.current_acts for t in (act.intended_at, act.ended_at) if t]
    words = [t for c in report.consents for t in (c.asked_at, c.decided_at) if t]
    seen = [use.at for use in report.activity.uses] if report.activity else []
    copies = [m.at for m in report.moments if m.lane is Lane.PEOPLE and m.at >= opened]
    marks = [at for at, _ in _marks(report)]
    answer = max([detected + timedelta(seconds=1), *acts, *words, *marks])
    running = [] if report.window.closed_at else [report.written_at]
    first, last = min([opened, detected, *seen]), max([answer, *seen, *running])
    left = LEFT + 14 + (RIGHT - LEFT) * (_BEFORE if first < detected else 0)
    right = RIGHT - (RIGHT - LEFT) * (_AFTER if last > answer else 0.09)
    ends = (first - timedelta(milliseconds=1), detected, answer, last + timedelta(seconds=1))
    places = (LEFT + 10, left, right, RIGHT)
    every = {*acts, *words, *seen, *copies, *marks}
    return scale(
        Panel(
            instants=(start, *(when for when in every if start < when < end), end),
            left=place,
            right=following,
        )
        for (start, end), (place, following) in zip(pairwise(ends), pairwise(places), strict=True)
    )


def _flags(report: Report, time: Scale) -> Drawn:
    """The milestones' names above the lanes, in as many rows as they need."""
    rows, placed = Rows(), []
    for at, name in _marks(report):
        words = f"{name} {since(at, report.detected_at)}" if name != "detected" else name
        x = time.at(at)
        ends = x + width(words) + 14 <= RIGHT  # the flags are bold: a little wider
        left = x if ends else x - width(words) - 14
        placed.append((rows.place(left, left + width(words) + 22), x, words, name, ends))
    bottom = 6 + len(rows.ends) * _FLAG
    shapes = []
    if report.detected_at - report.window.opened_at > timedelta(hours=1):
        left = time.at(report.window.opened_at)
        shapes.append(text(left, 12, f"exposed for {exposed(report)}", kind="flag alarm"))
    for row, x, words, name, ends in placed:
        y = 12 + row * _FLAG
        shapes.append(line(x, y - 8, x, bottom, kind="mark"))
        kind = "flag safe" if name == "dead" else "flag"
        anchor, shift = ("start", 5) if ends else ("end", -5)
        shapes.append(text(x + shift, y, words, kind=kind, anchor=anchor))
    return Drawn(shapes=tuple(shapes), bottom=bottom)


def _areas(report: Report, time: Scale, top: float, floor: float) -> tuple[str, ...]:
    window = report.window
    left, right = time.at(window.opened_at), time.at(window.closed_at or report.written_at)
    box = (left, top, max(2.0, right - left), floor - top)
    areas = [rect(box, kind="exposed", hint=f"exposed for {exposed(report)}")]
    dead = report.clocks[2].at
    if dead:
        x = time.at(dead)
        areas.append(rect((x, top, RIGHT - x, floor - top), kind="dead", hint="dead"))
    return tuple(areas)


def _axis(report: Report, time: Scale, y: float) -> tuple[str, ...]:
    shapes = []
    for x, offset in time.ticks(report.detected_at, apart=_TICK_APART):
        words = since(report.detected_at + offset, report.detected_at) if offset else "0"
        shapes.append(line(x, y, x, y + 4, kind="tick"))
        shapes.append(text(x, y + 15, words, kind="faint", anchor="middle"))
    note = f"detected {instant(report.detected_at)} UTC · quiet stretches are shortened"
    shapes.append(text(RIGHT, y + 30, note, kind="faint", anchor="end"))
    return tuple(shapes)

"""The lanes of the picture: uses of the key, bars of steps and approvals, phases."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from stanch.responder.domain.runbook import Phase
from stanch.responder.postmortem.report import Act, Consent, Lane, Report
from stanch.responder.postmortem.scale import Scale
from stanch.responder.postmortem.svg import Rows, diamond, dot, rect, text, width
from stanch.responder.postmortem.text import instant, since, span

ROW = 17.0
LEFT, RIGHT = 148.0, 988.0
_MAX_DOTS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """Something that lasted, to be drawn with its name beside it."""

    start: datetime
    end: datetime
    name: str
    kind: str
    hint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawn:
    """Finished shapes and where they end."""

    shapes: tuple[str, ...]
    bottom: float


def uses(report: Report, time: Scale, y: float) -> Drawn:
    """One disc for each call with the key: filled when it was answered, hollow when refused."""
    if report.activity is None:
        words = "no audit trail was read"
        return Drawn(shapes=(text(LEFT + 22, y + 14, words, kind="faint"),), bottom=y + 24)
    shapes = tuple(
        dot(
            time.at(use.at),
            y + 11,
            kind="refused" if use.refused else "answered",
            hint=f"{instant(use.at)} UTC · {use.api} from {use.ip} · {use.outcome}",
        )
        for use in report.activity.uses[:_MAX_DOTS]
    )
    return Drawn(shapes=shapes, bottom=y + 24)


def tools(report: Report, time: Scale, y: float) -> Drawn:
    """One bar for each step of this round, from intent to verified (or failed, or now)."""
    acts = [act for act in report.current_acts if act.intended_at]
    return _bars([_act_bar(act, report) for act in acts], time, y)


def people(report: Report, time: Scale, y: float) -> Drawn:
    """Commits as diamonds, approvals as bars from the question to the answer."""
    shapes, start = [], report.window.opened_at
    commits = [
        moment
        for moment in report.moments
        if moment.lane is Lane.PEOPLE and moment.what.startswith("A co") and moment.at >= start
    ]
    for moment in commits:
        hint = f"{instant(moment.at)} UTC · {moment.what}"
        shapes.append(diamond(time.at(moment.at), y + 9, kind="commit", hint=hint))
    if commits:
        x = time.at(commits[-1].at) + 9
        shapes.append(text(x, y + 13, _commits(len(commits)), kind="label"))
    asked = [c for c in report.consents if c.asked_at >= report.detected_at]
    bars = _bars([_consent_bar(c, report) for c in asked], time, y)
    return Drawn(shapes=(*shapes, *bars.shapes), bottom=max(bars.bottom, y + 20))


def phases(report: Report, time: Scale, y: float) -> Drawn:
    """One bar for each phase, from its first intent to its last end."""
    shapes: list[str] = []
    for phase in Phase:
        acts = [act for act in report.current_acts if act.phase is phase]
        begun = [act.intended_at for act in acts if act.intended_at]
        if not acts:
            continue
        shapes.append(text(LEFT - 10, y + 12, phase.value, kind="name", anchor="end"))
        if begun:
            ended = [act.ended_at or report.written_at for act in acts if act.intended_at]
            failed = any(act.state == "failed" for act in acts)
            bar = Bar(
                start=min(begun),
                end=max(ended),
                name=span(max(ended) - min(begun)),
                kind="phase failed" if failed else "phase",
                hint=f"{phase.value}: {span(max(ended) - min(begun))}",
            )
            shapes.extend(_bars([bar], time, y).shapes)
        else:
            shapes.append(text(LEFT + 22, y + 12, "not begun", kind="faint"))
        y += ROW + 2
    return Drawn(shapes=tuple(shapes), bottom=y)


def _bars(bars: Iterable[Bar], time: Scale, y: float) -> Drawn:
    rows, shapes = Rows(), []
    for bar in sorted(bars, key=lambda bar: (bar.start, bar.name)):
        left, right = time.at(bar.start), time.at(bar.end)
        right = max(right, left + 3)
        space = width(bar.name) + 10
        beside = right + space <= RIGHT
        row = rows.place(*((left, right + space) if beside else (left - space, right + 4)))
        top = y + row * ROW
        shapes.append(rect((left, top + 2, right - left, ROW - 5), kind=bar.kind, hint=bar.hint))
        x, anchor = (right + 5, "start") if beside else (left - 5, "end")
        shapes.append(text(x, top + 12.5, bar.name, kind="label", anchor=anchor))
    return Drawn(shapes=tuple(shapes), bottom=y + max(1, len(rows.ends)) * ROW)


def _act_bar(act: Act, report: Report) -> Bar:
    start = act.intended_at or report.detected_at
    end = act.ended_at or report.written_at
    if act.state == "failed":
        kind = "bar failed"
    else:
        kind = {"no": "bar final", "changes nothing": "bar look"}.get(act.reversible, "bar")
    hint = f"{act.title}: {act.state}, {since(start, report.detected_at)}, took {span(end - start)}"
    return Bar(start=start, end=end, name=act.title, kind=kind, hint=hint)


def _consent_bar(consent: Consent, report: Report) -> Bar:
    end = consent.decided_at or min(consent.expires_at, report.written_at)
    waited = span(max(end - consent.asked_at, end - end))
    verdict = "waiting" if consent.decision == "open" else consent.decision
    return Bar(
        start=consent.asked_at,
        end=end,
        name=f"approval {verdict}, {waited}",
        kind="bar consent",
        hint=f"{consent.step}: {verdict} after {waited}",
    )


def _commits(count: int) -> str:
    return "commit" if count == 1 else f"{count} copies committed"

"""The facts on a card: label and value, what matters most first. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta

from stanch.responder.domain import goal
from stanch.responder.domain.card import LINK
from stanch.responder.domain.claim import Claim
from stanch.responder.domain.copy import Copy, Reach, copies
from stanch.responder.domain.incident import Exposure, Incident
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.run import StepRun, StepState
from stanch.responder.domain.step import Effect
from stanch.responder.lifecycle.inventory.known import Known
from stanch.responder.postmortem.text import span
from stanch.responder.services.view import View

Fact = tuple[str, str]
_FEW = 3  # names in one value; the others are counted
_OWNERS = ("owner", "team", "contact")  # tags by which people say whose a thing is


def facts(view: View) -> tuple[Fact, ...]:
    """What is known, in the order in which it is asked for."""
    return tuple(_facts(view))


def _facts(view: View) -> Iterator[Fact]:
    incident, status = view.incident, view.status
    found = (*view.background, *view.steps)
    own = (step for step in found if step.uses not in view.specs or not view.specs[step.uses].aside)
    outputs: JsonObject = {k: v for step in own for k, v in step.outputs.items()}
    yield "Severity", incident.severity
    yield "Credential", f"{incident.preview}  ({incident.fingerprint[:11]})"
    places = incident.places(view.exposures)
    if places:
        yield "Found in", _place(places)
        first = places[0]
        if first.url:
            yield LINK, first.url
        if first.exposed_at:
            ago = age(view.now - first.exposed_at)
            yield "Exposed", f"{first.exposed_at:%Y-%m-%d %H:%M} UTC, {ago} ago"
        yield from _copies(copies(places, found, view.specs))
    yield from _entries(view.known)
    yield from _owner(found, outputs)
    yield from _done(view)
    yield from _proof(status.claim)
    if "count" in outputs:
        children = _texts(outputs.get("children"))
        if children:
            yield "Born from it", _few(children)
        yield "Used", _used(outputs)
        yield "Searched", _searched(outputs)
    if status.current and not status.undone:
        yield from _clocks(incident)
    if view.closed:
        who = view.closed.actor.partition(":")[2]
        yield "Closed", f"by {who}: {view.closed.detail.get('reason')}"


def _copies(kept: tuple[Copy, ...]) -> Iterator[Fact]:
    """What can still be read comes first."""
    still = [copy for copy in kept if copy.reach is Reach.OPEN]
    away = [copy for copy in kept if copy.reach is not Reach.OPEN]
    if still:
        yield (
            "Can be read in",
            _few([f"{c.target} ({c.how})" if c.how else c.target for c in still]),
        )
    if away:
        yield "Taken away", _few([f"{copy.target}: {copy.reach}" for copy in away])


def _place(exposures: tuple[Exposure, ...]) -> str:
    first, more = exposures[0], len(exposures) - 1
    commit = f" in commit {first.commit[:10]}" if first.commit else ""
    author = f" by {first.author}" if first.author else ""
    about = f" ({first.about})" if first.about else ""
    others = f"  and {more} more place{'s' * (more > 1)}" if more else ""
    return f"{first.root}: {first.path}:{first.line}{commit}{author}{about}{others}"


def _owner(steps: Iterable[StepRun], outputs: JsonObject) -> Iterator[Fact]:
    if outputs.get("user"):
        account = outputs.get("account")
        yield "Belongs to", f"{outputs['user']}{f' in account {account}' if account else ''}"
    for step in steps:
        tags = step.evidence.get("tags")
        if not isinstance(tags, Mapping):
            continue
        found = {str(k).lower(): str(v) for k, v in tags.items()}
        named = [f"{found[name]} (tag {name})" for name in _OWNERS if found.get(name)]
        if named:
            yield "Owner", named[0]
            return


def _entries(known: tuple[Known, ...]) -> Iterator[Fact]:
    """What the inventory says: whose it is, and who will notice when it is dead."""
    for each in known:
        said = [f"owner {each.owner}" if each.owner else "no owner"]
        said += [f"tenant {each.tenant}"] if each.tenant not in {"", "none"} else []
        yield "Is the secret", f"{each.reference} ({', '.join(said)}; in {each.source})"
        if each.consumers:
            yield "Used by", _few(list(each.consumers))


def _done(view: View) -> Iterator[Fact]:
    """Of a run that stands: which changes were made, and which were not."""
    run, status = view.run, view.status
    if run is None or not status.current or run.state.works or status.ended:
        return
    changing = [
        step
        for step in view.steps
        if step.uses in view.specs and view.specs[step.uses].effect is not Effect.READ
    ]
    made = [view.title(s) for s in changing if s.state is StepState.DONE and s.acted_at]
    begun = [view.title(s) for s in changing if s.state is not StepState.DONE and s.acted_at]
    rest = [view.title(s) for s in changing if s.state is not StepState.DONE and not s.acted_at]
    not_made = [title for title in dict.fromkeys(rest) if title not in made]
    if made:
        yield "Done", "; ".join(made)
    if begun:
        yield "Done, not verified", "; ".join(begun)
    if not_made:
        yield "Not done", "; ".join(not_made)


def _used(outputs: JsonObject) -> str:
    ips = outputs.get("source_ips")
    named = sorted(map(str, ips)) if isinstance(ips, Mapping) else []
    where = f", from {_few(named)}" if named else ""
    count = outputs["count"]
    calls = "1 recorded call" if count == 1 else f"{count} recorded calls"
    return f"{calls} so far ({outputs.get('denied', 0)} denied){where}"


def _searched(outputs: JsonObject) -> str:
    """Where the trail was read, how far, and where not."""
    regions = _texts(outputs.get("regions"))
    unread = _texts(outputs.get("unread"))
    missing = f"; NOT read: {'; '.join(unread)}" if unread else ""
    until = str(outputs.get("complete_until") or "")
    far = f"; complete until {until.replace('T', ' ').removesuffix('Z')} UTC" if until else ""
    return f"{_few(regions) or 'nowhere'}{missing}{far}"


def _few(names: list[str]) -> str:
    rest = len(names) - _FEW
    return ", ".join(names[:_FEW]) + (f" and {rest} more" if rest > 0 else "")


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _proof(claim: Claim | None) -> list[Fact]:
    """The claim as facts: what is not covered comes first, with what helps."""
    if claim is None:
        return []
    gaps = [("Not covered", f"{gap} → {gap.remedy}") for gap in claim.uncovered]
    covered = [("Covered too", "; ".join(claim.covers))] if claim.covers else []
    return [*gaps, ("Seen", claim.how), *covered]


def _clocks(incident: Incident) -> list[Fact]:
    since = incident.detected_at
    stopped = [(c, at - since) for c in goal.CLOCKS if (at := c.at(incident))]
    return [
        (c.name, f"{span(took)} from detection{_judged(took, c.goal)} ({c.what})")
        for c, took in stopped
    ]


def _judged(took: timedelta, promised: timedelta | None) -> str:
    """A goal that was met is small print; one that was missed is said."""
    if promised is None:
        return ""
    return f", goal {span(promised)}{' MISSED' if took > promised else ''}"


def age(span: timedelta) -> str:
    """A span as people say it: its largest unit. Clocks differ, so none is below zero."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(span.total_seconds() // length)
        if count > 0:
            return f"{count} {unit}{'s' * (count > 1)}"
    return "seconds"

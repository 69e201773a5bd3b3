"""The timeline: ledger entries, milestones, copies and uses of the key in one order of time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from stanch.responder.domain.incident import Exposure
from stanch.responder.domain.json import JsonValue
from stanch.responder.domain.run import StepRun
from stanch.responder.domain.timeline import Entry
from stanch.responder.postmortem.case import CaseFile
from stanch.responder.postmortem.report import Activity, Evidence, Lane, Moment, Use
from stanch.responder.postmortem.text import aware, clean, plural

# A report is read by people: what is beyond these bounds is counted and stays in the ledger.
_USE_ROWS, _COPY_ROWS, _HEAD, _TAIL = 60, 40, 200, 100
_OPENED = "secret.opened"
_MINOR = frozenset({"step.intended", "step.verified", "run.done", "run.waiting_approval"})
_PERSONAL_DOORS = ("cli:", "slack:", "web:")
_TELLING = (
    *("why", "error", "place", "purpose", "part", "decision", "state", "runbook", "policy"),
    *("what", "reason", "by"),
)
# What the record calls otherwise than people do; by action and kind of run.
_SAID: dict[tuple[str, JsonValue], str] = {
    ("run.started", "undo"): "Undo started",
    ("run.started", None): "Response started",
    ("run.resumed", None): "Taken up again",
    ("run.done", None): "Run came to its end",
    ("run.failed", None): "Run stopped",
    ("run.aborted", None): "Run ended after a refusal, or for another run",
    ("approval.denied", None): "Refused",
    ("approval.granted", None): "Approved",
    ("approval.refused", None): "Attempt to decide, turned away by a rule",
}


def tell(case: CaseFile, activity: Activity | None) -> tuple[tuple[Moment, ...], int]:
    """The rows by time, and how many were left out."""
    milestones = tuple(_milestones(case))
    shown = {moment.evidence.seq for moment in milestones if moment.evidence}
    absorbed = {e.seq for e in case.entries if e.seq in shown and _is_own(e)}
    titles = {step.id: title_of(case, step) for _, steps in case.runs for step in steps}
    plain = [e for e in case.entries if e.seq not in absorbed and e.event.action != _OPENED]
    told = [_from_entry(entry, titles) for entry in plain] + list(_openings(case.entries))
    told.sort(key=lambda moment: moment.at)
    uses, uses_left_out = _uses(activity.uses if activity else (), activity_evidence(case))
    copies = tuple(_copies(case.exposures[:_COPY_ROWS]))
    kept = told if len(told) <= _HEAD + _TAIL else told[:_HEAD] + told[-_TAIL:]
    # Sorting is stable: at one instant causes (copies, uses) come before what answered them.
    moments = sorted([*copies, *uses, *kept, *milestones], key=lambda moment: moment.at)
    left_out = len(told) - len(kept) + uses_left_out + max(0, len(case.exposures) - _COPY_ROWS)
    return tuple(moments), left_out


def proof(entry: Entry) -> Evidence:
    """A ledger entry as the reference people see: its number and the start of its digest."""
    return Evidence(text=f"#{entry.seq} {clean(entry.digest)[:8]}", seq=entry.seq)


def title_of(case: CaseFile, step: StepRun) -> str:
    """The step's declared title, or its name when its declaration is not at hand."""
    spec = case.specs.get(step.uses)
    return clean(spec.title if spec else step.uses, 80)


def activity_evidence(case: CaseFile) -> Evidence | None:
    """The ledger entry under which the audit trail's answer was recorded."""
    ids = {s.id for _, steps in case.runs for s in steps if s.uses.endswith(".activity")}
    found = [entry for entry in case.entries if entry.event.detail.get("step") in ids]
    return proof(found[-1]) if found else None


def _milestones(case: CaseFile) -> Iterator[Moment]:
    incident = case.incident
    marks: tuple[tuple[datetime | None, str], ...] = (
        (incident.detected_at, "The credential was detected"),
        (incident.containment_requested_at, "Containment was requested"),
        (incident.containment_verified_at, "Containment was verified by a fresh look"),
        (incident.proven_dead_at, "The credential was proven dead"),
        (incident.closed_at, "The incident was closed"),
    )
    for at, what in marks:
        if at is not None:
            yield Moment(
                at=aware(at),
                lane=Lane.TOOLING,
                what=what,
                evidence=_recorded_at(case.entries, at),
                milestone=True,
            )


def _recorded_at(entries: Sequence[Entry], at: datetime) -> Evidence | None:
    """What was recorded at that instant: state and record commit in one transaction.

    The incident's own entry is the better proof; a step's entry may have moved the incident too.
    """
    found = [entry for entry in entries if aware(entry.event.at) == aware(at)]
    found.sort(key=_is_own, reverse=True)
    return proof(found[0]) if found else None


def _is_own(entry: Entry) -> bool:
    return entry.event.action.startswith("incident.")


def _copies(exposures: Iterable[Exposure]) -> Iterator[Moment]:
    for copy in exposures:
        if copy.exposed_at is None:
            continue
        place = clean(copy.path, 100)
        yield Moment(
            at=aware(copy.exposed_at),
            lane=Lane.PEOPLE,
            what=f"A commit introduced a copy in {place}"
            if copy.commit
            else f"A copy became visible in {place}",
            evidence=Evidence(text=f"commit {clean(copy.commit, 12)[:10]}")
            if copy.commit
            else None,
        )


def _uses(uses: Sequence[Use], evidence: Evidence | None) -> tuple[list[Moment], int]:
    groups: list[list[Use]] = []
    for use in uses:
        last = groups[-1][-1] if groups else None
        if last and (last.api, last.ip, last.outcome) == (use.api, use.ip, use.outcome):
            groups[-1].append(use)
        else:
            groups.append([use])
    left_out = sum(len(group) for group in groups[_USE_ROWS:])
    return [_from_uses(group, evidence) for group in groups[:_USE_ROWS]], left_out


def _from_uses(group: Sequence[Use], evidence: Evidence | None) -> Moment:
    first = group[0]
    times = f", {plural(len(group), 'time')}" if len(group) > 1 else ""
    answer = "refused" if first.refused else "answered"
    if first.outcome != "ok":
        answer = f"{answer} ({first.outcome})"
    return Moment(
        at=first.at,
        lane=Lane.KEY_HOLDER,
        what=f"{first.api} from {first.ip}{times}: {answer}",
        evidence=evidence,
    )


def _openings(entries: Sequence[Entry]) -> Iterator[Moment]:
    """One row for each purpose: a proof that polls opens the value many times for one reason."""
    purposes: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.event.action == _OPENED:
            purposes.setdefault(str(entry.event.detail.get("purpose")), []).append(entry)
    for purpose, group in purposes.items():
        parts = sorted({clean(str(e.event.detail.get("part")), 40) for e in group})
        times = f", {plural(len(group), 'time')}" if len(group) > 1 else ""
        yield Moment(
            at=aware(group[0].event.at),
            lane=Lane.TOOLING,
            what=clean(f"Sealed value opened for {purpose}: {', '.join(parts)}{times}"),
            evidence=proof(group[0]),
            minor=True,
        )


def _from_entry(entry: Entry, titles: dict[str, str]) -> Moment:
    event = entry.event
    noun, _, verb = event.action.partition(".")
    verb = verb.replace("_", " ")
    step = event.detail.get("step")
    title = titles.get(step, clean(step, 80)) if isinstance(step, str) else None
    what = _SAID.get((event.action, event.detail.get("kind")), _SAID.get((event.action, None)))
    if what is None:
        what = f"{noun.replace('_', ' ')} {verb}".strip().capitalize()
    if title:
        what = f"{title}: {verb or noun}" if noun == "step" else f"{what} ({title})"
    told = [event.detail.get(key) for key in _TELLING]
    more = ", ".join(clean(value, 120) for value in told if isinstance(value, str) and value)
    door, _, name = event.actor.partition(":")
    person = f"{door}:" in _PERSONAL_DOORS
    return Moment(
        at=aware(event.at),
        lane=Lane.PEOPLE if person else Lane.TOOLING,
        what=clean(f"{what}: {more}" if more else what),
        evidence=proof(entry),
        minor=event.action in _MINOR,
        who=clean(name, 40) if person else "",
    )

"""Builds the report from a case file. Pure: the same case and instant give the same report."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from stanch.responder.domain import card, goal
from stanch.responder.domain.claim import NOTHING, Claim
from stanch.responder.domain.copy import copies
from stanch.responder.domain.ids import label
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.run import Run, RunKind, StepRun, newest_claim, pending_undo
from stanch.responder.domain.status import Status
from stanch.responder.postmortem.activity import read_activity
from stanch.responder.postmortem.advice import PROMPTS, Facts, actions, residual, unknown
from stanch.responder.postmortem.case import CaseFile
from stanch.responder.postmortem.chronicle import tell
from stanch.responder.postmortem.record import (
    is_earlier,
    read_closed,
    read_consent,
    read_copy,
    read_manifest,
    read_owners,
    read_passage,
)
from stanch.responder.postmortem.report import ActionItem, Clock, Report, Tone, Window
from stanch.responder.postmortem.text import aware, clean, span

_COPIES = 200
_GAPS = 50
_TAMPERED = 20
_GIT_BEGAN = datetime(2005, 4, 7, tzinfo=UTC)


def build(case: CaseFile, *, now: datetime) -> Report:
    """The postmortem of ``case`` as it stands at ``now`` (UTC); works for unfinished incidents."""
    incident = case.incident
    facts = _facts(case, aware(now))
    moments, moments_left_out = tell(case, facts.activity)
    closed = read_closed(case)
    status = _status(facts, closed.disposition if closed else "")
    return Report(
        label=label(incident.id),
        title=f"{clean(case.noun, 60)} {clean(incident.preview, 60)} in {clean(incident.root, 80)}",
        status=status.words().capitalize(),
        tone=_tone(facts, status),
        summary=_summary(case, facts, status.truth(case.noun)),
        severity=clean(incident.severity, 20),
        preview=clean(incident.preview, 60),
        fingerprint=clean(incident.fingerprint, 80),
        root=clean(incident.root, 80),
        regressions=incident.regressions,
        written_at=aware(now),
        detected_at=aware(incident.detected_at),
        window=facts.window,
        clocks=facts.clocks,
        moments=moments,
        moments_left_out=moments_left_out,
        copies=tuple(map(read_copy, case.exposures[:_COPIES])),
        copies_left_out=max(0, len(case.exposures) - _COPIES),
        passages=tuple(read_passage(case, run, steps) for run, steps in case.runs),
        consents=facts.consents,
        activity=facts.activity,
        residual=tuple(residual(facts)),
        unknown=tuple(unknown(facts)),
        actions=actions(facts, case.advice(facts)),
        manifest=read_manifest(case),
        prompts=PROMPTS,
        closed=closed,
        unreached="taken back" if facts.taken_back else "not yet",
        proven=facts.claim.statements() if facts.claim else (NOTHING,),
        tampered=tuple(clean(each, 300) for each in case.differs[:_TAMPERED]),
    )


def open_actions(case: CaseFile) -> tuple[ActionItem, ...]:
    """What the facts ask for, as the report says it, without building the rest."""
    # The open window ends with the newest look at the case; no action item depends on where.
    newest = max([case.incident.detected_at, *(entry.event.at for entry in case.entries)])
    facts = _facts(case, aware(newest))
    return actions(facts, case.advice(facts))


def _facts(case: CaseFile, now: datetime) -> Facts:
    incident = case.incident
    runs = tuple(
        (run, steps)
        for run, steps in case.runs
        if not is_earlier(incident, run) and not pending_undo(run, steps)
    )
    contained_at = incident.containment_verified_at
    return Facts(
        incident=incident,
        exposures=case.exposures,
        runs=runs,
        window=_window(case, now),
        clocks=_clocks(incident),
        activity=read_activity(
            (step for _, steps in runs for step in steps),
            detected_at=aware(incident.detected_at),
            contained_at=aware(contained_at) if contained_at else None,
        ),
        consents=tuple(map(read_consent, case.approvals)),
        claim=_claim(runs),
        owners=read_owners(case),
        copies=copies(case.exposures, (s for _, steps in case.runs for s in steps), case.specs),
    )


def _claim(runs: tuple[tuple[Run, tuple[StepRun, ...]], ...]) -> Claim | None:
    """What is proven now: nothing, once an undo ran last."""
    if not runs or runs[-1][0].kind is RunKind.UNDO:
        return None
    found = newest_claim(runs[-1][1])
    return _cleaned(found) if found else None


def _cleaned(claim: Claim) -> Claim:
    """Its text crossed a database, and names in it come from a provider's records."""
    return replace(
        claim,
        what=clean(claim.what, 120),
        how=clean(claim.how, 240),
        covers=tuple(clean(each, 240) for each in claim.covers[:_GAPS]),
        uncovered=tuple(
            replace(gap, what=clean(gap.what, 240), remedy=clean(gap.remedy, 240))
            for gap in claim.uncovered[:_GAPS]
        ),
    )


def _window(case: CaseFile, now: datetime) -> Window:
    incident = case.incident
    detected = aware(incident.detected_at)
    copies = case.exposures
    if incident.regressions:  # the credential was dead in between: count this round's copies
        copies = tuple(c for c in copies if aware(c.found_at) >= detected)
    known = {c: aware(c.exposed_at) for c in copies if c.exposed_at and _believed(c)}
    dated = {(c.root, c.path) for c in known}
    opened = min([*known.values(), detected, *(aware(c.found_at) for c in copies)])
    closed = incident.containment_verified_at
    end = aware(closed) if closed else now
    return Window(
        opened_at=opened,
        closed_at=aware(closed) if closed else None,
        lasted=max(timedelta(0), end - opened),
        # A file whose commit is known is no older than that commit.
        at_least=not known or any((c.root, c.path) not in dated for c in copies),
    )


def _believed(copy: Exposure) -> bool:
    """A commit may claim any time: none is later than the scan that saw it, or older than git."""
    return copy.exposed_at is not None and (
        _GIT_BEGAN <= aware(copy.exposed_at) <= aware(copy.found_at)
    )


def _clocks(incident: Incident) -> tuple[Clock, ...]:
    stopped = [(clock, clock.at(incident)) for clock in goal.CLOCKS]
    return tuple(
        Clock(
            name=clock.name,
            what=clock.what,
            at=aware(at) if at else None,
            took=aware(at) - aware(incident.detected_at) if at else None,
            goal=clock.goal,
        )
        for clock, at in stopped
    )


def _status(facts: Facts, said: str) -> Status:
    """Where it stands: what the card reads too."""
    run, steps = facts.runs[-1] if facts.runs else (None, ())
    return Status(incident=facts.incident, run=run, steps=steps, disposition=said)


def _tone(facts: Facts, status: Status) -> Tone:
    late = facts.activity.answered_late if facts.activity else 0
    tone = _TONES[status.tone(waiting=facts.incident.state is IncidentState.CONTAINED)]
    open_ = facts.incident.state in {IncidentState.OPEN, IncidentState.CONTAINED}
    return Tone.ALARM if late and open_ else tone


_TONES = {
    card.Tone.ALARM: Tone.ALARM,
    card.Tone.FAILED: Tone.ALARM,
    card.Tone.WAITING: Tone.WAITING,
    card.Tone.SAFE: Tone.SAFE,
}


def _summary(case: CaseFile, facts: Facts, truth: str) -> str:
    incident = case.incident
    window, (asked, verified, dead) = facts.window, facts.clocks
    bound = "at least " if window.at_least else ""
    what = f"The {clean(case.noun, 60)} {clean(incident.preview, 60)}"
    where = f"{'again ' if incident.regressions else ''}in {clean(incident.root, 80)}"
    true = clean(truth, 600) or NOTHING
    if verified.took is None:
        tried = (
            f"Containment was requested {span(asked.took)} after detection."
            if asked.took is not None
            else "Containment has not been requested."
        )
        if facts.taken_back:
            tried = "An undo took its containment back."
        return f"{what} has been readable {where} for {bound}{span(window.lasted)}. {tried} {true}"
    end = f" Dead {span(dead.took)} after detection, with {dead.what}." if dead.took else ""
    ask = f"requested {span(asked.took)} and " if asked.took is not None else ""
    return (
        f"{what} stood readable {where} for {bound}{span(window.lasted)}. Containment was "
        f"{ask}verified {span(verified.took)} after detection. {true}{end}"
    )

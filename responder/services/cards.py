"""The card of an incident: what is true now, in words for a tired person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from stanch.responder.domain import goal
from stanch.responder.domain.approval import Decision
from stanch.responder.domain.card import Ask, Card, Mark, Tone
from stanch.responder.domain.claim import Claim, Validity
from stanch.responder.domain.error import UsageError
from stanch.responder.domain.ids import ApprovalId, IncidentId, label
from stanch.responder.domain.incident import Exposure, Incident, IncidentState
from stanch.responder.domain.ports import Store, Transaction
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, StepState, newest_claim
from stanch.responder.domain.runbook import Phase, Silence
from stanch.responder.domain.step import Effect
from stanch.responder.domain.timeline import Event
from stanch.responder.postmortem.text import span
from stanch.responder.services.approvals import Approvals, waiting
from stanch.responder.services.words import Words

SILENCE = {
    Silence.HOLD: "nothing happens: everything stays as it is now",
    Silence.PROCEED: "silence is consent: the step runs",
    Silence.ABORT: "the step is left out and the run ends",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """All that a card is made of."""

    incident: Incident
    exposures: tuple[Exposure, ...]
    run: Run | None
    steps: tuple[StepRun, ...]
    titles: Mapping[str, str]  # step name to title
    credential: str  # what leaked, in people's words
    ask: Ask | None
    now: datetime
    lapsed: bool = False  # a question was asked and nobody answered in time
    closed: Event | None = None  # the word that closed it

    @property
    def undone(self) -> bool:
        """The newest run takes things back: nothing that was proven before holds."""
        return self.run is not None and self.run.kind is RunKind.UNDO

    @property
    def claim(self) -> Claim | None:
        """What is proven about the credential now."""
        return None if self.undone else newest_claim(self.steps)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """Builds cards from the store."""

    store: Store
    approvals: Approvals
    words: Words = field(default_factory=Words)

    def card(self, incident_id: IncidentId) -> Card:
        """The card as it is now."""
        with self.store.snapshot() as tx:
            incident = tx.incidents.get(incident_id)
            if incident is None:
                raise UsageError(
                    f"there is no incident {label(incident_id)}",
                    remedy="`stanch incidents` lists them",
                )
            exposures = tx.incidents.exposures(incident_id)
            runs = tx.runs.of(incident_id)
            run = runs[-1] if runs else None
            steps = tx.runs.steps(run.id) if run else ()
            asked = tx.approvals.of(run.id) if run else ()
            closed = _closed(tx, incident)
            now = tx.now()
        blocked = next((s for s in steps if s.state is StepState.BLOCKED), None)
        approval = waiting(blocked, asked) if blocked else None
        decision = approval.decision if approval else None
        late = approval is not None and now >= approval.expires_at
        specs = self.approvals.planner.steps
        return draw(
            View(
                incident=incident,
                exposures=exposures,
                run=run,
                steps=steps,
                credential=self.words.credential(incident),
                titles={name: step.spec.title for name, step in specs.items()},
                ask=self._ask(approval.id)
                if approval and decision is Decision.OPEN and not late
                else None,
                lapsed=late and decision in {Decision.OPEN, Decision.EXPIRED},
                now=now,
                closed=closed,
            )
        )

    def _ask(self, approval_id: ApprovalId) -> Ask:
        question = self.approvals.question(approval_id)
        approval, step = question.approval, question.step
        policy = step.policy
        undone = _UNDONE[step.effect]
        return Ask(
            approval=approval.id,
            title=f"{step.title} {question.preview}. {undone}",
            calls=tuple(str(call) for call in step.calls),
            requester=approval.requester,
            group=approval.group,
            expires_at=approval.expires_at,
            silence=SILENCE[policy.silence] if policy else "",
            plan_hash=approval.plan_hash,
        )


_UNDONE = {
    Effect.READ: "This by itself changes nothing.",
    Effect.REVERSIBLE: "This can be undone.",
    Effect.FINAL: "This cannot be undone.",
}


def draw(view: View) -> Card:
    """A card from its facts; pure."""
    closed = view.incident.state is IncidentState.CLOSED
    failed = next((s for s in view.steps if s.state is StepState.FAILED and not closed), None)
    return Card(
        incident=view.incident.id,
        version=view.incident.version,
        tone=_tone(view, failed),
        headline=f"{_state(view)} · {view.credential} · {label(view.incident.id)}",
        summary=_summary(view, failed),
        facts=_facts(view),
        phases=() if view.undone else _phases(view),
        ask=view.ask,
        failure=f"{failed.error} → {failed.remedy}" if failed else None,
        updated_at=view.now,
        closable=view.incident.state is IncidentState.PROVEN_DEAD,
    )


def _closed(tx: Transaction, incident: Incident) -> Event | None:
    if incident.state is not IncidentState.CLOSED:
        return None
    said = [e.event for e in tx.ledger.entries(incident.id) if e.event.action == "incident.closed"]
    return said[-1] if said else None


def _phases(view: View) -> tuple[tuple[Phase, Mark], ...]:
    there = {step.phase for step in view.steps}
    return tuple((phase, _mark(view.steps, phase)) for phase in Phase if phase in there)


def _state(view: View) -> str:
    match view.incident.state:
        case IncidentState.OPEN:
            return _open(view)
        case IncidentState.CONTAINED:
            return _contained(view)
        case IncidentState.PROVEN_DEAD:
            return "PROVEN DEAD"
        case IncidentState.CLOSED:
            return "CLOSED" if view.incident.proven_dead_at else "CLOSED, NOT PROVEN DEAD"


def _open(view: View) -> str:
    if view.undone:
        over = view.run is not None and view.run.state is RunState.DONE
        return "LIVE AGAIN" if over else "TAKING CONTAINMENT BACK"
    if view.claim is not None and view.run is not None and view.run.state is RunState.DONE:
        return view.claim.headline()
    if view.incident.regressions and not view.incident.containment_requested_at:
        return "SEEN AGAIN"
    return "CONTAINING" if view.incident.containment_requested_at else "LIVE"


def _contained(view: View) -> str:
    """Refused, but not for good; or dead for good, but with something left that is not."""
    over = view.run is not None and view.run.state is RunState.DONE
    claim = view.claim
    if claim is not None and over and not claim.proven:
        return claim.headline()
    if claim is not None and claim.alive:
        return f"CONTAINED, {len(claim.alive)} BORN FROM IT ALIVE"
    return "CONTAINED"


def _tone(view: View, failed: StepRun | None) -> Tone:
    if view.incident.state is IncidentState.CLOSED:
        return Tone.SAFE if view.incident.proven_dead_at else Tone.WAITING
    if failed:
        return Tone.FAILED
    if view.incident.state.over:
        return Tone.SAFE
    if view.claim is not None and view.claim.alive:
        return Tone.ALARM
    if view.ask or view.lapsed:
        return Tone.WAITING
    return Tone.SAFE if view.incident.state is IncidentState.CONTAINED else Tone.ALARM


def _summary(view: View, failed: StepRun | None) -> str:
    if view.incident.state is IncidentState.CLOSED:
        return _CLOSED[view.incident.proven_dead_at is not None]
    if failed:
        return f"Stopped at “{view.titles[failed.uses]}”. A person must look."
    if view.run is not None and view.run.state in _STOPPED:
        return _STOPPED[view.run.state].format(incident=label(view.incident.id))
    if view.run is None:
        return (
            "No runbook handles this kind of credential: revoke it at its provider by hand, then "
            f"`stanch close {label(view.incident.id)} --unproven`."
        )
    true = f"{view.claim.brief()} " if view.claim else ""
    return true + (_question(view) or _work(view))


def _question(view: View) -> str | None:
    if view.ask:
        return f"Waits for a member of {view.ask.group} other than {view.ask.requester}."
    if view.lapsed:
        again = f"`stanch respond {label(view.incident.id)}` asks again."
        return f"Nobody decided in time, so nothing was done. {again}"
    return None


def _work(view: View) -> str:
    stuck = next((s for s in view.steps if s.state is StepState.WAITING and s.tries), None)
    if stuck:
        return f"Trying again: {view.titles[stuck.uses].lower()}. {stuck.error}"
    doing = [view.titles[s.uses].lower() for s in view.steps if not s.state.over and s.intended_at]
    name = label(view.incident.id)
    if view.incident.state is IncidentState.PROVEN_DEAD:
        left = f"the action items of the postmortem want owners, then `stanch close {name}`"
        more = " Seen again, and still dead: one more copy." if view.incident.regressions else ""
        return f"{more} Left to do: {left}.".strip()
    if view.undone and view.run and view.run.state is RunState.DONE:
        return f"What contained it was taken back. `stanch respond {name}` contains it again."
    if view.claim is not None and view.claim.validity is Validity.NO_CHECK and not view.undone:
        return f"Nothing can prove more: `stanch close {name} --unproven` closes it."
    if view.run and view.run.state is RunState.DONE:
        return f"Mend what is not covered, then `stanch respond {name}` proves it again."
    return f"Now: {', '.join(doing) or 'working through the plan'}."


_STOPPED = {
    RunState.PAUSED: (
        "Paused by a person: nothing more is done until somebody says `stanch resume {incident}`."
    ),
    RunState.CANCELLED: (
        "Stopped by a person where it stood: `stanch respond {incident}` goes on, "
        "`stanch undo {incident}` takes back what was done."
    ),
}
_CLOSED = {
    True: "Over. A new sighting of the credential opens it again.",
    False: "Closed by a person's word although nothing proves that the credential is dead.",
}


def _facts(view: View) -> tuple[tuple[str, str], ...]:
    incident = view.incident
    first = view.exposures[0] if view.exposures else None
    outputs = {key: value for step in view.steps for key, value in step.outputs.items()}
    facts = [("Credential", f"{incident.preview}  ({incident.fingerprint[:11]})")]
    if first:
        more = len(view.exposures) - 1
        places = f"  and {more} more place{'s' * (more > 1)}" if more else ""
        facts.append(("Found in", f"{first.root}: {first.path}:{first.line}{places}"))
        if first.exposed_at:
            ago = age(view.now - first.exposed_at)
            facts.append(("Exposed", f"{first.exposed_at:%Y-%m-%d %H:%M} UTC, {ago} ago"))
    facts.extend(_proof(view.claim))
    if outputs.get("user"):
        facts.append(("Belongs to", f"{outputs['user']} in account {outputs.get('account', '?')}"))
    if "count" in outputs:
        facts.append(("Used", _used(outputs)))
        facts.append(("Searched", _searched(outputs)))
    facts.extend(_clocks(incident))
    if view.closed:
        who = view.closed.actor.partition(":")[2]
        facts.append(("Closed", f"by {who}: {view.closed.detail.get('reason')}"))
    return tuple(facts)


def _used(outputs: Mapping[str, object]) -> str:
    ips = outputs.get("source_ips")
    where = (
        f", from {', '.join(sorted(map(str, ips))[:3])}" if isinstance(ips, Mapping) and ips else ""
    )
    count = outputs["count"]
    calls = "1 recorded call" if count == 1 else f"{count} recorded calls"
    return f"{calls} so far ({outputs.get('denied', 0)} denied){where}"


def _searched(outputs: Mapping[str, object]) -> str:
    """Where the trail was read, how far, and where not."""
    regions = _texts(outputs.get("regions"))
    shown = ", ".join(regions[:3]) + (f" and {len(regions) - 3} more" if len(regions) > 3 else "")  # noqa: PLR2004  # as many as fit
    unread = _texts(outputs.get("unread"))
    missing = f"; NOT read: {'; '.join(unread)}" if unread else ""
    until = str(outputs.get("complete_until") or "")
    far = f"; complete until {until.replace('T', ' ').removesuffix('Z')} UTC" if until else ""
    return f"{shown or 'nowhere'}{missing}{far}"


def _texts(value: object) -> list[str]:
    return [str(item) for item in value] if isinstance(value, list | tuple) else []


def _proof(claim: Claim | None) -> list[tuple[str, str]]:
    """The claim as facts: what is not covered comes first, with what helps."""
    if claim is None:
        return []
    gaps = [("Not covered", f"{gap} → {gap.remedy}") for gap in claim.uncovered]
    covered = [("Covered too", each) for each in claim.covers]
    return [*gaps, ("Seen", claim.how), *covered]


def _clocks(incident: Incident) -> list[tuple[str, str]]:
    since = incident.detected_at
    clocks = (
        ("Asked", incident.containment_requested_at, "containing calls answered", goal.REQUESTED),
        ("Verified", incident.containment_verified_at, "refused on a fresh look", goal.VERIFIED),
        ("Dead", incident.proven_dead_at, "nothing left uncovered", None),
    )
    return [
        (name, f"{span(at - since)} after detection  ({what}{_judged(at - since, promised)})")
        for name, at, what, promised in clocks
        if at
    ]


def _judged(took: timedelta, promised: timedelta | None) -> str:
    """A goal that was met is small print; one that was missed is said."""
    if promised is None:
        return ""
    return f"; goal {span(promised)}{' MISSED' if took > promised else ''}"


def age(span: timedelta) -> str:
    """A span as people say it: its largest unit. Clocks differ, so none is below zero."""
    for unit, length in (("day", 86400), ("hour", 3600), ("minute", 60)):
        count = int(span.total_seconds() // length)
        if count > 0:
            return f"{count} {unit}{'s' * (count > 1)}"
    return "seconds"


def _mark(steps: tuple[StepRun, ...], phase: Phase) -> Mark:
    states = {step.state for step in steps if step.phase is phase}
    if StepState.FAILED in states:
        return Mark.FAILED
    if states == {StepState.DONE}:
        return Mark.DONE
    return Mark.AHEAD if states <= {StepState.PENDING, StepState.SKIPPED} else Mark.NOW

"""A card from its view, in words for a tired person: what is true, then what to do. Pure."""

from __future__ import annotations

from stanch.responder.domain.card import Card, Mark
from stanch.responder.domain.ids import label
from stanch.responder.domain.incident import IncidentState
from stanch.responder.domain.run import Run, RunState, StepState
from stanch.responder.domain.runbook import Phase
from stanch.responder.services.fact import facts
from stanch.responder.services.next_step import next_steps
from stanch.responder.services.view import View


def draw(view: View) -> Card:
    """The card."""
    status = view.status
    failed = status.failed
    shows_phases = status.current and not status.undone
    return Card(
        incident=view.incident.id,
        version=view.incident.version,
        tone=status.tone(waiting=view.ask is not None or view.lapsed),
        headline=f"{status.words()} · {view.credential} · {label(view.incident.id)}",
        summary=_summary(view),
        facts=facts(view),
        phases=_phases(view) if shows_phases else (),
        ask=view.ask,
        failure=f"{failed.error} → {failed.remedy}" if failed else view.stuck or None,
        updated_at=view.now,
        closable=view.incident.state is IncidentState.PROVEN_DEAD,
        next=next_steps(view),
        by_hand=view.by_hand,
        warning=_warning(view.differs),
    )


def _warning(differs: tuple[str, ...]) -> str | None:
    if not differs:
        return None
    more = f" (and {len(differs) - 1} more)" if len(differs) > 1 else ""
    return (
        f"TAMPERED: {differs[0]}{more}. The store was changed by somebody who does not hold the "
        "ledger's key: trust nothing below before `stanch audit verify` names nothing any more."
    )


def _phases(view: View) -> tuple[tuple[Phase, Mark], ...]:
    there = {step.phase for step in view.steps}
    return tuple((phase, _mark(view, phase)) for phase in Phase if phase in there)


def _mark(view: View, phase: Phase) -> Mark:
    states = {step.state for step in view.steps if step.phase is phase}
    if StepState.FAILED in states:
        return Mark.FAILED
    if states <= {StepState.DONE, StepState.OMITTED}:
        return Mark.DONE
    halted = view.run is not None and not view.run.state.works
    untouched = states <= {StepState.PENDING, StepState.SKIPPED, StepState.OMITTED}
    return Mark.AHEAD if untouched or halted else Mark.NOW


def _summary(view: View) -> str:
    status = view.status
    true = status.truth(view.credential)
    if view.incident.state is IncidentState.CLOSED or status.stranger:
        return true
    stands = _stands(view) if view.undo is None else _undo(view, view.undo)
    return f"{true} {stands}".strip()


def _stands(view: View) -> str:
    """Where the work stands, and for whom it waits."""
    status, run = view.status, view.run
    if status.failed:
        return f"Stopped at “{view.title(status.failed)}”. A person must look."
    if run is None or not status.current:
        return _not_begun(view)
    match run.state:
        case RunState.PAUSED:
            return "Paused by a person: nothing more is done until somebody resumes it."
        case RunState.CANCELLED:
            return "Stopped by a person where it stood; nothing was taken back."
        case RunState.ABORTED:
            return _refused(view)
        case _:
            return _question(view) or _work(view)


def _undo(view: View, undo: Run) -> str:
    """An undo that was asked for and has begun nothing."""
    stays = "Nothing was taken back."
    if view.ask:
        return f"{undo.requester} asks to undo it. {_question(view)}"
    if view.denied is not None:
        return f"The undo was refused by {view.denied.decided_by}: “{view.denied.reason}”. {stays}"
    if view.lapsed:
        return f"{undo.requester} asked to undo it, and nobody decided in time. {stays}"
    if undo.state.over:
        return f"{undo.requester} asked to undo it, and it was called off. {stays}"
    return f"{undo.requester} asks to undo it. {stays}"


def _not_begun(view: View) -> str:
    if view.answered:
        return "Nothing has been done yet."
    return (
        "No runbook answers this kind of credential, so nothing is done by itself: revoke it at "
        "its provider by hand."
    )


def _refused(view: View) -> str:
    if view.denied is None:
        return "Given up: nothing more is done by itself."
    step = next((s for s in view.steps if s.id == view.denied.step), None)
    what = view.title(step) if step else view.denied.step
    by, why = view.denied.decided_by, view.denied.reason
    return f"“{what}” was refused by {by}: “{why}”. It stays as it is; nothing more is done."


def _question(view: View) -> str | None:
    if view.ask:
        why = f": {view.why}" if view.why else ""
        return f"Waits for a decision by {view.ask.whom}{why}."
    if view.lapsed:
        return "Nobody decided in time, so nothing was done."
    return None


def _work(view: View) -> str:
    stuck = next((s for s in view.steps if s.state is StepState.WAITING and s.tries), None)
    if stuck:
        return f"Trying again: {view.title(stuck).lower()}. {stuck.error}"
    if view.incident.state is IncidentState.PROVEN_DEAD:
        more = "Still dead, one more copy. " if view.incident.regressions else ""
        return f"{more}Left to do: the action items of the postmortem want owners."
    if view.status.ended:
        return "" if view.status.undone else "Nothing more is done by itself."
    doing = [view.title(s).lower() for s in view.steps if not s.state.over and s.intended_at]
    return f"Now: {', '.join(dict.fromkeys(doing)) or 'working through the plan'}."

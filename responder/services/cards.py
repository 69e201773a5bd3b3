"""The card of an incident, gathered from the store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.card import Ask, Card, Decider
from stanch.responder.domain.error import RunbookError, UsageError
from stanch.responder.domain.ids import ApprovalId, IncidentId, RunId, label
from stanch.responder.domain.incident import Incident, IncidentState
from stanch.responder.domain.ports import Store, Transaction
from stanch.responder.domain.run import Run, RunKind, StepRun, StepState, latest
from stanch.responder.domain.runbook import NO_MORE, Phase, Silence, runbook_for
from stanch.responder.domain.step import Effect
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.decision import ASKED
from stanch.responder.engine.planner import outputs_of
from stanch.responder.lifecycle.inventory.known import newest
from stanch.responder.services.approvals import Approvals, holding_up
from stanch.responder.services.drawing import draw
from stanch.responder.services.integrity import discrepancies
from stanch.responder.services.recognising import told
from stanch.responder.services.view import View
from stanch.responder.services.words import Words

SILENCE = {
    Silence.HOLD: "nothing happens: everything stays as it is now",
    Silence.PROCEED: "silence is consent: the step runs",
    Silence.ABORT: "the step is left out, and what waits for it",
}
LASTING = {
    Effect.READ: "This by itself changes nothing.",
    Effect.REVERSIBLE: "This can be undone.",
    Effect.FINAL: "This cannot be undone.",
}


def _no_remedy(rule: str) -> str:
    del rule
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cards:
    """Builds cards from the store. ``remedy`` is what a rule advises, by its id."""

    store: Store
    approvals: Approvals
    words: Words = field(default_factory=Words)
    remedy: Callable[[str], str] = _no_remedy

    def card(self, incident_id: IncidentId) -> Card:
        """The card as it is now."""
        return draw(self.view(incident_id))

    def view(self, incident_id: IncidentId) -> View:
        """What the card is drawn from. Raises UsageError when there is no such incident."""
        view, approval = self._gathered(incident_id)
        if approval is not None:
            late = view.now >= approval.expires_at
            unanswered = approval.decision in {Decision.OPEN, Decision.EXPIRED}
            opened = approval.decision is Decision.OPEN and not late
            view = replace(view, lapsed=late and unanswered)
            try:
                view = replace(view, ask=self._ask(approval.id) if opened else None)
            except RunbookError as error:  # nobody is asked about what cannot be shown
                view = replace(view, stuck=f"{error} → {error.remedy}")
        if view.answered and (view.status.failed is None or view.status.stranger):
            return view
        remedy = self.remedy(view.exposures[0].rule) if view.exposures else ""
        return replace(view, by_hand=tuple(self._by_hand(view, remedy)))

    def _gathered(self, incident_id: IncidentId) -> tuple[View, Approval | None]:
        """What the store holds, and the question that waits."""
        with self.store.snapshot() as tx:
            incident = tx.incidents.get(incident_id)
            if incident is None:
                raise UsageError(
                    f"there is no incident {label(incident_id)}",
                    remedy="`stanch incidents` lists them",
                )
            rows = {run.id: tx.runs.steps(run.id) for run in tx.runs.of(incident_id)}
            run, undo = latest([(run, rows[run.id]) for run in tx.runs.of(incident_id)])
            asking = undo or run
            asked = tx.approvals.of(asking.id) if asking else ()
            books = self.approvals.runbooks.values()
            view = View(
                incident=incident,
                exposures=tx.incidents.exposures(incident_id),
                run=run,
                steps=rows[run.id] if run else (),
                background=_background(run, tx.runs.of(incident_id), rows),
                undo=undo,
                specs={name: step.spec for name, step in self.approvals.planner.steps.items()},
                credential=self.words.credential(incident),
                now=tx.now(),
                answered=runbook_for(books, incident.provider, incident.kind) is not None,
                denied=_denied(asked),
                closed=_closed(tx, incident),
                differs=discrepancies(tx, incident_id),
                known=tuple(newest(told(tx, incident_id)).values()),
            )
            waits = (
                holding_up(asking, rows[asking.id], asked, self.approvals.planner.steps)
                if asking
                else None
            )
            why = _why(tx, waits) if waits else ""
        if view.differs:
            return view, None  # nobody is asked about rows that somebody else wrote
        return replace(view, why=why), waits

    def _by_hand(self, view: View, remedy: str) -> Iterator[str]:
        """What a person can do at the provider: the containing calls that were not made."""
        run = view.run
        if (
            run is not None
            and not view.differs
            and view.incident.state is IncidentState.OPEN
            and not view.status.undone
        ):
            outputs = outputs_of(view.steps)
            for step in view.steps:
                if not self._owed(view, step):
                    continue
                planner = self.approvals.planner
                with suppress(RunbookError):  # a step of another version: its calls are not known
                    calls = planner.calls(step, incident=view.incident, outputs=outputs)
                    yield from map(str, calls)
        if remedy:
            yield remedy

    def _owed(self, view: View, step: StepRun) -> bool:
        spec = view.specs.get(step.uses)
        changes = spec is not None and spec.effect is not Effect.READ
        return changes and step.phase is Phase.CONTAIN and step.state is not StepState.DONE

    def _ask(self, approval_id: ApprovalId) -> Ask:
        question = self.approvals.question(approval_id)
        approval, step = question.approval, question.step
        policy = step.policy
        deciders = self.approvals.deciders(approval_id)
        return Ask(
            approval=approval.id,
            title=f"{step.title}: {question.preview}. {LASTING[step.effect]}",
            calls=tuple(str(call) for call in step.calls),
            requester=approval.requester,
            group=approval.group,
            expires_at=approval.expires_at,
            silence=SILENCE[policy.silence] if policy else "",
            plan_hash=approval.plan_hash,
            deciders=tuple(Decider(p.name, p.slack) for p in deciders),
            claimed=any(p.account is None for p in deciders),
        )


def _background(
    run: Run | None, runs: tuple[Run, ...], rows: Mapping[RunId, tuple[StepRun, ...]]
) -> tuple[StepRun, ...]:
    """The steps of the response that an undo took back: whose the credential is stays true."""
    if run is None or run.kind is not RunKind.UNDO:
        return ()
    mine = (each for each in reversed(runs) if each.episode == run.episode)
    answered = next((each for each in mine if each.kind is RunKind.RESPOND), None)
    return rows[answered.id] if answered else ()


def _why(tx: Transaction, approval: Approval) -> str:
    """The reason that was given when it was asked; empty when it says nothing more."""
    mine = {"approval": approval.id}.items()
    said = [
        entry.event.detail.get("why")
        for entry in tx.ledger.entries(approval.incident)
        if entry.event.action == ASKED and mine <= entry.event.detail.items()
    ]
    return str(said[-1]) if said and said[-1] != NO_MORE else ""


def _closed(tx: Transaction, incident: Incident) -> Event | None:
    if incident.state is not IncidentState.CLOSED:
        return None
    said = [e.event for e in tx.ledger.entries(incident.id) if e.event.action == "incident.closed"]
    return said[-1] if said else None


def _denied(asked: tuple[Approval, ...]) -> Approval | None:
    """The newest question, if the answer was no."""
    return asked[-1] if asked and asked[-1].decision is Decision.DENIED else None

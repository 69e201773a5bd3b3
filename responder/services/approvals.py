"""Giving and refusing approvals, from whichever door."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from stanch.responder.domain.approval import (
    Approval,
    Decision,
    Person,
    decide,
    find_person,
    require_decider,
)
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.error import ApprovalRefused, UsageError
from stanch.responder.domain.ids import ApprovalId, IncidentId, label
from stanch.responder.domain.plan import PlannedStep
from stanch.responder.domain.ports import Doorbell, Errand, Store, Transaction
from stanch.responder.domain.run import Run, RunKind, RunState, StepRun, StepState
from stanch.responder.domain.runbook import BLAST, Runbook
from stanch.responder.domain.step import Step
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.authority import require_rows
from stanch.responder.engine.decision import closed, record, sworn
from stanch.responder.engine.gate import agreed
from stanch.responder.engine.pin import pinned
from stanch.responder.engine.planner import Planner


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """An approval with what a person must see before deciding."""

    approval: Approval
    step: PlannedStep
    preview: str
    plan_hash: str  # of the plan as it is now; decisions on another one are refused


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """The use cases around one person's word."""

    store: Store
    planner: Planner
    runbooks: Mapping[str, Runbook]
    people: Mapping[str, Person]
    doorbell: Doorbell

    def open_for(self, incident: IncidentId) -> ApprovalId:
        """The question this incident waits for; UsageError when there is none."""
        with self.store.snapshot() as tx:
            runs = tx.runs.of(incident)
            asked = {run.id: tx.approvals.of(run.id) for run in runs}
            held = [
                holding_up(run, tx.runs.steps(run.id), asked[run.id], self.planner.steps)
                for run in runs
            ]
        answerable = {Decision.OPEN, Decision.EXPIRED}
        every = [approval for run in runs for approval in asked[run.id]]
        wanted = [a for a in (*every, *held) if a is not None and a.decision in answerable]
        if not wanted:
            raise UsageError(
                f"{label(incident)} does not wait for an approval",
                remedy=f"`stanch incidents {label(incident)}` shows where it stands",
            )
        return wanted[-1].id

    def question(self, approval: ApprovalId) -> Question:
        """What would be decided, with the exact calls as they are now."""
        with self.store.snapshot() as tx:
            return self._question(tx, approval)

    def decide(self, approval: ApprovalId, *, by: Caller, granted: bool, reason: str) -> Approval:
        """Take the caller's decision. Raises ApprovalRefused; the refusal is on the record too."""
        person = find_person(self.people, by.name)
        try:
            with self.store.transaction() as tx:
                question = self._question(tx, approval)
                self._require(tx, question.approval)
                _refuse_twice(tx, question, person)
                decided = decide(
                    question.approval,
                    by=person,
                    via=by.door,
                    granted=granted,
                    reason=reason,
                    plan_hash=question.plan_hash,
                    now=tx.now(),
                    askers=_askers(tx, question.approval, by, self.people),
                )
                tx.approvals.save(decided)
                run = tx.runs.get(decided.run)
                if run is not None and run.state is not RunState.PAUSED:
                    # Whoever watches must see that there is work again before a worker takes it.
                    tx.runs.save(replace(run, state=RunState.RUNNING, finished_at=None))
                    if run.state.over:
                        _resumed(tx, run, by)
                _record(tx, decided, f"approval.{decided.decision}", by, reason)
                tx.outbox.put(Errand.NOTIFY, str(decided.incident))
        except ApprovalRefused as refusal:
            self._record_refusal(approval, by, str(refusal))
            raise
        self.doorbell.ring(Errand.ADVANCE, decided.run)
        return decided

    def require(self, approval: ApprovalId, *, by: Caller) -> None:
        """Raises ApprovalRefused when the caller could not decide now. Records nothing."""
        people = dict(self.people.items())
        with self.store.snapshot() as tx:
            _allowed(tx, self._question(tx, approval), by, people)

    def deciders(self, approval: ApprovalId) -> tuple[Person, ...]:
        """Everybody who could decide now, from whichever door they come."""
        people = dict(self.people.items())
        with self.store.snapshot() as tx:
            question = self._question(tx, approval)
            return tuple(
                people[name]
                for name in sorted(people)
                if all(_allows(tx, question, by, people) for by in _doors(people[name]))
            )

    def by_slack(self, user: str) -> Person:
        """The person behind ``team_id/user_id``."""
        for person in self.people.values():
            if person.slack == user:
                return person
        raise ApprovalRefused(
            "this Slack user is not a known person",
            remedy=f"add slack = {user!r} to their entry in stanch.toml [people]",
        )

    def _question(self, tx: Transaction, approval_id: ApprovalId) -> Question:
        approval = tx.approvals.get(approval_id)
        if approval is None:
            raise UsageError(
                f"there is no approval {approval_id}", remedy="`stanch incidents` shows what waits"
            )
        run = tx.runs.get(approval.run)
        incident = tx.incidents.get(approval.incident)
        steps = tx.runs.steps(approval.run)
        step = next((s for s in steps if s.id == approval.step), None)
        if run is None or incident is None or step is None:
            raise UsageError(
                f"approval {approval_id} belongs to a run that is gone",
                remedy=f"`stanch respond {label(approval.incident)}` asks again",
            )
        runbook = pinned(run, self.runbooks)
        planned, digest = self.planner.asked(
            step, approval.policy, run=run, rows=steps, incident=incident, runbook=runbook
        )
        return Question(approval=approval, step=planned, preview=incident.preview, plan_hash=digest)

    def _require(self, tx: Transaction, approval: Approval) -> None:
        """The question stands on the record as the row says; nobody decides on anything else."""
        run = tx.runs.get(approval.run)
        if run is not None:
            require_rows(tx, run)
        if not sworn([approval], tx.ledger.sworn(approval.incident)):
            raise ApprovalRefused(
                f"approval {approval.id} was never asked on the record",
                remedy=f"`stanch respond {label(approval.incident)}` asks again",
            )

    def _record_refusal(self, approval_id: ApprovalId, by: Caller, why: str) -> None:
        with self.store.transaction() as tx:
            approval = tx.approvals.get(approval_id)
            if approval is None:
                return
            if approval.decision is Decision.OPEN and approval.expires_at <= tx.now():
                closed(tx, approval, Decision.EXPIRED, tx.now(), "nobody answered in time")
            _record(tx, approval, "approval.refused", by, why)


def _askers(
    tx: Transaction, asked: Approval, by: Caller, people: Mapping[str, Person]
) -> frozenset[str]:
    """Everybody who started the run or took it up, as the record says.

    Where people are tied to accounts, who decides from the account that asked is who asked,
    whatever name was given then.
    """
    events = tx.ledger.sworn(asked.incident)
    undos = {e.detail.get("run") for e in events if e.detail.get("kind") == RunKind.UNDO}
    # Who asked for an undo that was refused or called off does not agree to the next one.
    runs = undos if asked.run in undos else {asked.run}
    began = [
        event
        for event in events
        if event.action in {"run.started", "run.resumed"} and event.detail.get("run") in runs
    ]
    names = {event.actor.partition(":")[2] for event in began}
    accounts = {event.detail.get("account") for event in began} - {None}
    tied = any(person.account for person in people.values())
    if by.account in accounts and (tied or by.door == "slack"):
        names.add(by.name)
    return frozenset(names)


def _allowed(tx: Transaction, question: Question, by: Caller, people: Mapping[str, Person]) -> None:
    """Raises ApprovalRefused when the caller could not decide now."""
    person = find_person(people, by.name)
    _refuse_twice(tx, question, person)
    require_decider(
        question.approval,
        by=person,
        plan_hash=question.plan_hash,
        now=tx.now(),
        askers=_askers(tx, question.approval, by, people),
    )


def _allows(tx: Transaction, question: Question, by: Caller, people: Mapping[str, Person]) -> bool:
    try:
        _allowed(tx, question, by, people)
    except ApprovalRefused:
        return False
    return True


def _doors(person: Person) -> tuple[Caller, ...]:
    """The person at each door that is known to be theirs."""
    slack = Caller(name=person.name, door="slack", account=person.slack or "")
    return slack, Caller(name=person.name, door="cli", account=person.account or "")


def _refuse_twice(tx: Transaction, question: Question, person: Person) -> None:
    """Where two must agree, the second is another."""
    asked = question.approval
    mine = [a for a in tx.approvals.of(asked.run) if a.step == asked.step]
    if asked.decision is Decision.OPEN and person.name in agreed(mine, question.plan_hash):
        raise ApprovalRefused(
            f"{person.name} has agreed already, and two must",
            remedy=f"another member of {asked.group!r} must decide",
        )


def _resumed(tx: Transaction, run: Run, by: Caller) -> None:
    detail = {"run": run.id, **by.trace}
    tx.ledger.append(
        Event(
            at=tx.now(),
            actor=by.actor,
            action="run.resumed",
            incident=run.incident,
            detail=detail,
        )
    )


def _record(tx: Transaction, approval: Approval, action: str, by: Caller, reason: str) -> None:
    record(tx, approval, action, {"reason": reason, **by.trace}, tx.now(), by.actor)


def holding_up(
    run: Run,
    steps: tuple[StepRun, ...],
    asked: tuple[Approval, ...],
    known: Mapping[str, Step],
) -> Approval | None:
    """The question that holds the run up, the same for every surface.

    Of several the one whose step comes first, the credential before its copies; a step may wait for
    one that was asked of another.
    """
    blocked = [step for step in steps if step.state is StepState.BLOCKED]
    blocked.sort(key=lambda step: step.uses in known and known[step.uses].spec.aside)
    if not run.state.works or not blocked:
        return None
    own = (_about(step, asked) for step in blocked)
    about_all = (a for a in reversed(asked) if (a.policy, a.decision) == (BLAST, Decision.OPEN))
    return next(filter(None, own), next(about_all, None))


def _about(step: StepRun, asked: tuple[Approval, ...]) -> Approval | None:
    """The newest question about this step that somebody may still answer or renew."""
    mine = [a for a in asked if a.step == step.id and a.decision is not Decision.VOID]
    return mine[-1] if mine else None

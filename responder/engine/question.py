"""Whether a person's word stands between a step and its being taken."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.ids import ApprovalId
from stanch.responder.domain.ports import Errand, Transaction
from stanch.responder.domain.run import Run, StepRun, StepState
from stanch.responder.domain.runbook import BLAST, Need, Policy, Runbook, Silence
from stanch.responder.domain.timeline import Event
from stanch.responder.engine.decision import asked as put_question
from stanch.responder.engine.decision import consented, expire, has_consent, sworn
from stanch.responder.engine.fresh import stale
from stanch.responder.engine.gate import Gate, gate
from stanch.responder.engine.planner import Planner
from stanch.responder.engine.scene import Scene

_NOT_NEEDED = "approval.not_needed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Questions:
    """Asks, waits, expires or stops, as policies say."""

    planner: Planner

    def may_go(self, scene: Scene, step: StepRun) -> bool:
        """Judge the step's own approval."""
        policy = scene.runbook.policy(step.approval or "")
        need = policy.need(scene.facts())
        return self._judged(scene, step, step, policy, need, scene.events)

    def may_exceed(self, scene: Scene, step: StepRun, why: str) -> bool:
        """Judge the one question about everything that this run contains; ``why`` it is asked."""
        policy = scene.runbook.policy(BLAST)
        need = policy.need(scene.facts())
        if need.count:
            need = replace(need, reason=why)
        first = next(row for row in scene.steps if self.planner.contains(row))
        # Another step may have asked just now, in this very transaction.
        events = scene.tx.ledger.sworn(scene.incident.id)
        return self._judged(scene, step, first, policy, need, events)

    def _judged(  # the facts of one judgement
        self,
        scene: Scene,
        step: StepRun,
        about: StepRun,
        policy: Policy,
        need: Need,
        events: Sequence[Event],
    ) -> bool:
        _, digest = self.planner.asked(
            about,
            policy.id,
            run=scene.run,
            rows=scene.steps,
            incident=scene.incident,
            runbook=scene.runbook,
        )
        asked = sworn(_under(policy.id, about.id, scene.tx.approvals.of(scene.run.id)), events)
        expire(scene.tx, asked, about.id, digest, scene.now)
        if need.count == 0 or (step.intended_at and _waived(scene, about, digest)):
            if step.intended_at is None:
                _waive(scene, about, policy, digest, need.reason)
            return True
        verdict = gate(
            asked,
            step=about.id,
            plan_hash=digest,
            silence=policy.silence,
            now=scene.now,
            people=need.count,
        )
        if verdict is Gate.GO:
            _consent(scene, asked[-1])
            return True
        if verdict is Gate.ASK:
            if self._looks_again(scene, about):
                return False  # it is asked when they have looked
            _ask(scene, about, policy, digest, need.reason)
        self._hold(scene, step, StepState.SKIPPED if verdict is Gate.STOP else StepState.BLOCKED)
        return False

    def _looks_again(self, scene: Scene, about: StepRun) -> bool:
        """Whether steps before the question must look once more, because they may see more."""
        if not scene.tx.envelopes.parts(scene.incident.sealed):
            return False  # shredded with an incident that was closed: nothing can look any more
        again = stale(about, scene.steps, self.planner.steps, scene.now)
        for row in again:
            scene.tx.runs.write(row)
        return bool(again)

    def _hold(self, scene: Scene, step: StepRun, state: StepState) -> None:
        if step.state is state:
            return
        ended = scene.now if state.over else None
        scene.tx.runs.write(replace(step, state=state, finished_at=ended))
        scene.tx.outbox.put(Errand.NOTIFY, str(scene.incident.id))

    def quiet(self, tx: Transaction, run: Run, runbook: Runbook, step: StepRun) -> bool:
        """Whether a step only waits for a person's word, which has not come yet."""
        incident = tx.incidents.get(run.incident)
        if step.state is not StepState.BLOCKED or incident is None:
            return False
        rows = tx.runs.steps(run.id)
        asked = [a for a in tx.approvals.of(run.id) if a.decision is not Decision.VOID]
        about, policy = _waits_for(step, rows, asked)
        if about is None:
            return False
        _, digest = self.planner.asked(
            about, policy, run=run, rows=rows, incident=incident, runbook=runbook
        )
        newest = _under(policy, about.id, asked)[-1]
        if newest.plan_hash != digest:
            return False
        if newest.decision is Decision.OPEN:
            return tx.now() < newest.expires_at
        held = runbook.policy(policy).silence is Silence.HOLD
        return newest.decision is Decision.EXPIRED and held


def _waits_for(
    step: StepRun, rows: Sequence[StepRun], asked: Sequence[Approval]
) -> tuple[StepRun | None, str]:
    """Which question a blocked step waits for: its own, else the one about the whole run."""
    own = _under(step.approval or "", step.id, asked)
    if own and own[-1].decision is not Decision.GRANTED:
        return step, own[-1].policy
    about = next((a.step for a in asked if a.policy == BLAST), None)
    return next((row for row in rows if row.id == about), None), BLAST


def _under(policy: str, step: str, asked: Sequence[Approval]) -> list[Approval]:
    return [a for a in asked if (a.policy, a.step) == (policy, step)]


def _ask(scene: Scene, step: StepRun, policy: Policy, digest: str, why: str) -> None:
    put_question(
        scene.tx,
        Approval(
            id=ApprovalId(secrets.token_hex(8)),
            incident=scene.incident.id,
            run=scene.run.id,
            step=step.id,
            plan_hash=digest,
            policy=policy.id,
            group=policy.group,
            requester=scene.run.requester,
            asked_at=scene.now,
            expires_at=scene.now + policy.expires,
        ),
        why,
    )


def _consent(scene: Scene, newest: Approval) -> None:
    """Where silence is consent, that is on record before the act."""
    if newest.decision is not Decision.GRANTED and not has_consent(newest, scene.events):
        consented(scene.tx, newest, scene.now)


def _waive(scene: Scene, step: StepRun, policy: Policy, digest: str, why: str) -> None:
    """Where nobody has to agree, that is on record before the act, with the reason."""
    scene.record(
        _NOT_NEEDED,
        {
            "plan": digest,
            "policy": policy.id,
            "run": scene.run.id,
            "step": step.id,
            "why": why,
        },
    )


def _waived(scene: Scene, step: StepRun, digest: str) -> bool:
    """Whether the record says so of a step that has begun: its own effect may change the facts."""
    said = {"plan": digest, "run": scene.run.id, "step": step.id}.items()
    return any(e.action == _NOT_NEEDED and said <= e.detail.items() for e in scene.events)

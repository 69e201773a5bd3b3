"""Turns the case's rows into the report's: copies, runs, approvals and the evidence manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.incident import Exposure, Incident, IncidentState, page
from stanch.responder.domain.json import JsonValue, canonical
from stanch.responder.domain.run import Run, StepRun, StepState
from stanch.responder.domain.step import Effect
from stanch.responder.domain.timeline import Event
from stanch.responder.postmortem.case import CaseFile
from stanch.responder.postmortem.chronicle import proof, title_of
from stanch.responder.postmortem.report import Act, Closed, Consent, Copy, Manifest, Passage, Record
from stanch.responder.postmortem.text import aware, clean

_RECORDS, _EVIDENCE = 1000, 12
_REVERSIBLE = {Effect.READ: "changes nothing", Effect.REVERSIBLE: "yes", Effect.FINAL: "no"}


def is_earlier(incident: Incident, run: Run) -> bool:
    """A regression restarts every clock; what ran before it belongs to another round."""
    return incident.regressions > 0 and aware(run.started_at) < aware(incident.detected_at)


def read_copy(exposure: Exposure) -> Copy:
    """A row of the exposure inventory."""
    return Copy(
        source=clean(exposure.source, 20),
        root=clean(exposure.root, 80),
        place=clean(f"{exposure.path}:{exposure.line}:{exposure.column}", 200)
        + (f" ({clean(exposure.about, 200)})" if exposure.about else ""),
        commit=clean(exposure.commit, 12)[:10] if exposure.commit else None,
        author=clean(exposure.author, 80) if exposure.author else None,
        exposed_at=aware(exposure.exposed_at) if exposure.exposed_at else None,
        found_at=aware(exposure.found_at),
        rule=clean(exposure.rule, 60),
        reason=clean(exposure.reason, 120),
        url=page(exposure.url),
    )


def read_passage(case: CaseFile, run: Run, steps: tuple[StepRun, ...]) -> Passage:
    """One run with its steps."""
    return Passage(
        run=clean(run.id, 40),
        kind=run.kind.value,
        runbook=clean(f"{run.runbook} v{run.runbook_version}", 80),
        state=run.state.value,
        started_at=aware(run.started_at),
        finished_at=aware(run.finished_at) if run.finished_at else None,
        earlier=is_earlier(case.incident, run),
        acts=tuple(_act(case, run, step) for step in steps),
    )


def _act(case: CaseFile, run: Run, step: StepRun) -> Act:
    spec = case.specs.get(step.uses)
    ended = aware(step.finished_at) if step.finished_at else None
    shown = [
        (clean(key, 40), _scalar(value))
        for key, value in sorted(step.evidence.items())
        if key != "claim" and _told(value)
    ]
    records = tuple(
        proof(entry)
        for entry in case.entries
        if entry.event.detail.get("step") == step.id
        and entry.event.detail.get("run", run.id) == run.id
    )
    return Act(
        id=clean(step.id, 60),
        title=title_of(case, step),
        phase=step.phase,
        state=step.state.value,
        intended_at=aware(step.intended_at) if step.intended_at else None,
        acted_at=aware(step.acted_at) if step.acted_at else None,
        verified_at=ended if step.state is StepState.DONE else None,
        ended_at=ended,
        reversible=_REVERSIBLE[spec.effect] if spec else "not declared",
        evidence=tuple(shown[:_EVIDENCE]),
        evidence_hash=_digest(step.evidence),
        records=records,
        error=clean(step.error) if step.error else None,
        remedy=clean(step.remedy) if step.remedy else None,
    )


def _told(value: JsonValue) -> bool:
    """Whether there is anything to say: an empty list or text says nothing."""
    return value is not None and value not in ("", [], {})


def _scalar(value: JsonValue) -> str:
    if isinstance(value, Mapping):
        return clean(
            ", ".join(
                f"{key} {_scalar(item)}" for key, item in sorted(value.items()) if _told(item)
            ),
            120,
        )
    if isinstance(value, Sequence) and not isinstance(value, str):
        return clean(", ".join(map(_scalar, value)), 120)
    return clean(value if isinstance(value, str) else canonical(value).decode("ascii"), 120)


def read_consent(approval: Approval) -> Consent:
    """One approval."""
    decided = aware(approval.decided_at) if approval.decided_at else None
    return Consent(
        step=clean(approval.step, 60),
        policy=clean(approval.policy, 60),
        group=clean(approval.group, 60),
        requester=clean(approval.requester, 60),
        asked_at=aware(approval.asked_at),
        expires_at=aware(approval.expires_at),
        decision=_decision(approval),
        decided_by=clean(approval.decided_by, 60) if approval.decided_by else None,
        decided_at=decided,
        latency=decided - aware(approval.asked_at) if decided else None,
        via=clean(approval.via, 40) if approval.via else None,
        reason=clean(approval.reason, 200) if approval.reason else None,
        plan_hash=clean(approval.plan_hash, 80),
    )


def _decision(approval: Approval) -> str:
    """A refusal stays one although the question was asked again, which makes it void."""
    if approval.decision is Decision.VOID and approval.decided_by:
        return "refused"
    return "refused" if approval.decision is Decision.DENIED else approval.decision.value


def read_owners(case: CaseFile) -> dict[str, str]:
    """Who took which action item on in this round, by the item's id; the newest word counts."""
    return {
        clean(str(event.detail.get("action")), 60): clean(str(event.detail.get("owner")), 60)
        for event in _of_this_round(case, "action.assigned")
    }


def read_closed(case: CaseFile) -> Closed | None:
    """Who closed the incident, when it is closed."""
    if case.incident.state is not IncidentState.CLOSED:
        return None
    for entry in reversed(case.entries):
        event = entry.event
        if event.action == "incident.closed":
            return Closed(
                by=clean(event.actor.partition(":")[2] or event.actor, 60),
                at=aware(event.at),
                reason=clean(str(event.detail.get("reason"))),
                evidence=proof(entry),
                disposition=clean(str(event.detail.get("disposition") or ""), 40),
            )
    return None


def _of_this_round(case: CaseFile, action: str) -> Iterator[Event]:
    since = aware(case.incident.detected_at)
    for entry in case.entries:
        if entry.event.action == action and aware(entry.event.at) >= since:
            yield entry.event


def read_manifest(case: CaseFile) -> Manifest:
    """What an auditor needs to check the report without trusting it."""
    hashes = [
        (f"evidence of {clean(step.id, 60)} ({clean(run.id, 40)})", _digest(step.evidence))
        for run, steps in case.runs
        for step in steps
        if step.evidence
    ]
    return Manifest(
        first_seq=case.entries[0].seq if case.entries else None,
        last_seq=case.entries[-1].seq if case.entries else None,
        verdict=clean(case.ledger_verdict),
        head=clean(case.ledger_head, 128) if case.ledger_head else None,
        records=tuple(
            Record(
                seq=entry.seq,
                at=aware(entry.event.at),
                action=clean(entry.event.action, 60),
                digest=clean(entry.digest, 128),
            )
            for entry in case.entries[:_RECORDS]
        ),
        records_left_out=max(0, len(case.entries) - _RECORDS),
        hashes=tuple(hashes),
    )


def _digest(value: JsonValue) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()

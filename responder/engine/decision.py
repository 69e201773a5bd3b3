"""What became of a question: the row and the entry in one word, and which of the two is believed.

The row is for looking things up. The entry, valid under the ledger's key, is what acts rest on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.error import Tampered
from stanch.responder.domain.ids import label
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.ports import Errand, Transaction
from stanch.responder.domain.timeline import Event

ASKED, CONSENTED = "approval.asked", "approval.consented"
_BY_PEOPLE = frozenset({Decision.GRANTED, Decision.DENIED})
_WORDS = {
    "approval.granted": Decision.GRANTED,
    "approval.denied": Decision.DENIED,
    "approval.expired": Decision.EXPIRED,
    "approval.void": Decision.VOID,
}


def asked(tx: Transaction, approval: Approval, why: str) -> None:
    """Ask: nothing that was not asked on the record can be answered."""
    tx.approvals.add(approval)
    detail = {
        "group": approval.group,
        "policy": approval.policy,
        "requester": approval.requester,
        "until": approval.expires_at.isoformat(),
        "why": why,
    }
    record(tx, approval, ASKED, detail, approval.asked_at)


def closed(  # the facts of one entry
    tx: Transaction, approval: Approval, decision: Decision, now: datetime, why: str
) -> Approval:
    """What nobody decided ends: expired, or void because nothing rests on it any more.

    Whoever closes it, the card that asks is told.
    """
    ended = replace(approval, decision=decision, decided_at=now)
    tx.approvals.save(ended)
    record(tx, ended, f"approval.{decision}", {"why": why}, now)
    tx.outbox.put(Errand.NOTIFY, str(approval.incident))
    return ended


def expire(tx: Transaction, asked: Iterable[Approval], step: str, plan: str, now: datetime) -> None:
    """Close what can no longer be answered: past its time, or asked for another plan."""
    for approval in asked:
        if approval.step != step or approval.decision is not Decision.OPEN:
            continue
        if approval.plan_hash != plan:
            closed(tx, approval, Decision.VOID, now, "the plan is another one by now")
        elif now >= approval.expires_at:
            closed(tx, approval, Decision.EXPIRED, now, "nobody answered in time")


def consented(tx: Transaction, approval: Approval, now: datetime) -> None:
    """The policy takes silence for consent: that, too, is said before the act."""
    record(tx, approval, CONSENTED, {"why": f"nobody answered; policy {approval.policy}"}, now)


def record(  # the facts of one entry
    tx: Transaction,
    approval: Approval,
    action: str,
    detail: JsonObject,
    now: datetime,
    actor: str = "system",
) -> None:
    """An entry that names the question, its run and step, and the plan it was asked for."""
    told: JsonObject = {
        "approval": approval.id,
        "plan": approval.plan_hash,
        "run": approval.run,
        "step": approval.step,
        **detail,
    }
    tx.ledger.append(
        Event(at=now, actor=actor, action=action, incident=approval.incident, detail=told)
    )


def sworn(rows: Sequence[Approval], events: Iterable[Event]) -> tuple[Approval, ...]:
    """The questions that stand on the record, decided as the record says.

    Tampered when a row says something else. A row that was never asked on the record (of an older
    version) counts for nothing: it is left out.
    """
    entries: dict[str, list[Event]] = {}
    for event in events:
        if event.action == ASKED or event.action in _WORDS:
            entries.setdefault(str(event.detail.get("approval")), []).append(event)
    return tuple(
        _agreed(row, entries[row.id])
        for row in rows
        if any(event.action == ASKED for event in entries.get(row.id, ()))
    )


def has_consent(approval: Approval, events: Iterable[Event]) -> bool:
    """Whether silence was taken for consent on the record, for this plan."""
    return any(
        event.action == CONSENTED
        and event.detail.get("approval") == approval.id
        and event.detail.get("plan") == approval.plan_hash
        for event in events
    )


def _agreed(row: Approval, events: Sequence[Event]) -> Approval:
    for event in events:
        said = (event.detail.get("run"), event.detail.get("step"), event.detail.get("plan"))
        if said != (row.run, row.step, row.plan_hash):
            raise Tampered(f"{label(row.incident)}: approval {row.id} was asked for something else")
    last = [event for event in events if event.action in _WORDS][-1:]
    decision = _WORDS[last[0].action] if last else Decision.OPEN
    by = last[0].actor.partition(":")[2] if decision in _BY_PEOPLE else row.decided_by
    if (decision, by) != (row.decision, row.decided_by):
        raise Tampered(
            f"{label(row.incident)}: approval {row.id} is {row.decision} in the store, "
            f"{decision} on the record"
        )
    return row

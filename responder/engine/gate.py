"""May a step that wants approval go on? A pure decision over what was asked and answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import Enum, auto

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.runbook import Silence


class Gate(Enum):
    """What to do with a step that is ready except for its approval."""

    GO = auto()
    ASK = auto()  # nothing valid was asked yet
    WAIT = auto()  # asked, not answered
    HOLD = auto()  # silence: stay contained until somebody asks again
    STOP = auto()  # refused, or silence means no


_ON_SILENCE = {Silence.PROCEED: Gate.GO, Silence.HOLD: Gate.HOLD, Silence.ABORT: Gate.STOP}


def gate(  # the facts of one decision
    asked: Sequence[Approval],
    *,
    step: str,
    plan_hash: str,
    silence: Silence,
    now: datetime,
    people: int = 1,
) -> Gate:
    """Judge the newest approval of ``step``. Words given for another plan count for nothing.

    ``people``: so many must agree, each another.
    """
    mine = [a for a in asked if a.step == step and a.decision is not Decision.VOID]
    if not mine or mine[-1].plan_hash != plan_hash:
        return Gate.ASK
    newest = mine[-1]
    match newest.decision:
        case Decision.GRANTED:
            return Gate.GO if len(agreed(mine, plan_hash)) >= people else Gate.ASK
        case Decision.DENIED:
            return Gate.STOP
        case Decision.EXPIRED:
            return _ON_SILENCE[silence]
        case Decision.OPEN:
            return Gate.WAIT if now < newest.expires_at else _ON_SILENCE[silence]
        case Decision.VOID:  # filtered above
            return Gate.ASK


def agreed(asked: Sequence[Approval], plan_hash: str) -> frozenset[str]:
    """Who agreed to exactly this plan."""
    return frozenset(
        approval.decided_by
        for approval in asked
        if approval.decision is Decision.GRANTED
        and approval.plan_hash == plan_hash
        and approval.decided_by
    )

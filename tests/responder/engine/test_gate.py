"""May a step that wants approval go on?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stanch.responder.domain.approval import Approval, Decision
from stanch.responder.domain.ids import ApprovalId, IncidentId, RunId
from stanch.responder.domain.runbook import Silence
from stanch.responder.engine.gate import Gate, gate

NOW = datetime(2026, 3, 2, tzinfo=UTC)
LATER = NOW + timedelta(hours=4)
ASKED = Approval(
    id=ApprovalId("a1"),
    incident=IncidentId(1),
    run=RunId("r1"),
    step="delete",
    plan_hash="plan",
    policy="second",
    group="ops",
    requester="alice",
    asked_at=NOW,
    expires_at=LATER,
    decided_by="bob",
)


def judge(*asked: Approval, silence: Silence = Silence.HOLD, now: datetime = NOW) -> Gate:
    return gate(asked, step="delete", plan_hash="plan", silence=silence, now=now)


@pytest.mark.parametrize(
    ("decision", "silence", "now", "verdict"),
    [
        (Decision.GRANTED, Silence.ABORT, LATER, Gate.GO),
        (Decision.DENIED, Silence.PROCEED, NOW, Gate.STOP),
        (Decision.OPEN, Silence.PROCEED, NOW, Gate.WAIT),
        (Decision.OPEN, Silence.HOLD, LATER, Gate.HOLD),
        (Decision.OPEN, Silence.PROCEED, LATER, Gate.GO),
        (Decision.OPEN, Silence.ABORT, LATER, Gate.STOP),
        (Decision.EXPIRED, Silence.HOLD, LATER, Gate.HOLD),
        (Decision.EXPIRED, Silence.PROCEED, LATER, Gate.GO),
        (Decision.EXPIRED, Silence.ABORT, LATER, Gate.STOP),
        (Decision.VOID, Silence.PROCEED, LATER, Gate.ASK),
    ],
)
def test_every_answer_and_every_silence_has_one_outcome(
    decision: Decision, silence: Silence, now: datetime, verdict: Gate
) -> None:
    assert judge(replace(ASKED, decision=decision), silence=silence, now=now) is verdict


def test_without_a_question_one_is_asked() -> None:
    assert judge() is Gate.ASK


@pytest.mark.parametrize("decision", list(Decision))
def test_a_word_for_another_plan_counts_for_nothing(decision: Decision) -> None:
    assert judge(replace(ASKED, decision=decision, plan_hash="other")) is Gate.ASK


@pytest.mark.parametrize("decision", list(Decision))
def test_a_word_for_another_step_counts_for_nothing(decision: Decision) -> None:
    assert judge(replace(ASKED, decision=decision, step="other")) is Gate.ASK


def test_the_newest_question_decides() -> None:
    denied = replace(ASKED, decision=Decision.DENIED)
    granted = replace(ASKED, decision=Decision.GRANTED)
    assert judge(denied, granted) is Gate.GO
    assert judge(granted, denied) is Gate.STOP

"""Fresh looks that show whether the leaked key and its sessions are dead, and how that was seen.

Two ways, and the evidence says which: ``live`` tries the credential itself; ``admin`` reads what
IAM says about it, for when only the key's id leaked or trying is turned off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import StepContext
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity, try_witness
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling
from stanch.responder.providers.aws.adapter.identity import (
    agent,
    leaked_id,
    leaked_pair,
    status_of,
    text_of,
)
from stanch.responder.providers.aws.steps.probe import SEALED, session_of
from stanch.responder.providers.aws.steps.session_policy import MARGIN, cut_of, read_policy

# IAM answers from many replicas: one refusal may be followed by a success elsewhere.
READS = 3
_SIMULATED = "s3:ListAllMyBuckets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What was seen: ``dead`` or not, by which method, in which words."""

    dead: bool
    method: str  # "live", "admin"
    detail: str

    def evidence(self, what: str) -> JsonObject:
        """Flat, for the record."""
        return {what: "dead" if self.dead else "alive", f"{what}_method": self.method} | {
            f"{what}_seen": self.detail
        }


def see_key(aws: AwsClients, ctx: StepContext, user: str) -> Sight:
    """Is the leaked key refused?"""
    pair = leaked_pair(ctx) if aws.settings.probe else None
    if pair is not None:
        for _ in range(READS):
            tried = try_identity(aws, pair, agent=agent(ctx))
            if tried.answer is not Answer.REJECTED:
                break
        if tried.answer is Answer.REJECTED:
            return Sight(dead=True, method="live", detail=f"{READS} x {tried}")
        if tried.answer is not Answer.WRONG_SECRET:
            return Sight(dead=False, method="live", detail=str(tried))
    status = status_of(aws, user, leaked_id(ctx))
    return Sight(dead=status != "Active", method="admin", detail=f"IAM lists it as {status}")


def see_session(
    aws: AwsClients, ctx: StepContext, user: str, *, witness: str, worked: bool
) -> Sight:
    """Is a session that was minted before refused?

    Live: the probe is denied explicitly, or a call that worked before is refused now. An expired
    probe proves nothing about longer sessions, so then IAM is asked instead.
    """
    if ctx.sealed(SEALED) is not None and witness:
        session = session_of(ctx)
        for _ in range(READS):
            tried = try_witness(aws, session, witness, agent=agent(ctx))
            refused = tried.answer in {Answer.EXPLICITLY_DENIED, Answer.REJECTED} or (
                worked and tried.answer is Answer.NOT_ALLOWED
            )
            if not refused:
                break
        if refused:
            return Sight(dead=True, method="live", detail=f"{READS} x {witness}: {tried}")
        if tried.answer is not Answer.EXPIRED:
            return Sight(dead=False, method="live", detail=f"{witness}: {tried}")
    return _session_by_policy(aws, user)


def _session_by_policy(aws: AwsClients, user: str) -> Sight:
    """Our deny is in place, and IAM's simulator says that it covers an older session."""
    cut = cut_of(read_policy(aws, user))
    if cut is None:
        return Sight(dead=False, method="admin", detail="older sessions are not denied")
    try:
        decision = _simulate(aws, user, issued_at=datetime.fromisoformat(cut) - MARGIN)
    except NotThere:
        return Sight(dead=True, method="admin", detail="the user is gone, and its sessions with it")
    return Sight(
        dead=decision == "explicitDeny",
        method="admin",
        detail=f"deny of sessions before {cut} in place; such a session simulated: {decision}",
    )


def _simulate(aws: AwsClients, user: str, *, issued_at: datetime) -> str:
    """What IAM would decide for a session of the user issued then."""
    with calling("iam:GetUser"):
        arn = aws.iam().get_user(UserName=user)["User"]["Arn"]
    with calling("iam:SimulatePrincipalPolicy"):
        answer = aws.iam().simulate_principal_policy(
            PolicySourceArn=arn,
            ActionNames=[_SIMULATED],
            ContextEntries=[
                {
                    "ContextKeyName": "aws:TokenIssueTime",
                    "ContextKeyValues": [text_of(issued_at)],
                    "ContextKeyType": "date",
                }
            ],
        )
    return next((str(r["EvalDecision"]) for r in answer["EvaluationResults"]), "no answer")

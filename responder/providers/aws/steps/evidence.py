"""Fresh looks that show whether the leaked key and its sessions are dead, and how that was seen.

Two ways, and the evidence says which: ``live`` tries the credential itself; ``admin`` reads what
IAM says about it, for when only the key's id leaked or trying is turned off.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import StepContext
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity, try_witness
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling
from stanch.responder.providers.aws.adapter.identity import (
    ABSENT,
    agent,
    leaked_id,
    leaked_pair,
    status_of,
    text_of,
)
from stanch.responder.providers.aws.adapter.inline import Inline
from stanch.responder.providers.aws.steps.probe import SEALED, session_of
from stanch.responder.providers.aws.steps.session_policy import cut_of, policy_name

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
    """Is the leaked key refused?

    What IAM lists is in force everywhere only after a while, so the administrator's side alone
    speaks of a change when it has been looked at for as long as IAM takes to settle.
    """
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
    status = status_of(aws, user, leaked_id(ctx)) if user else ABSENT
    if status == "Active":
        return Sight(dead=False, method="admin", detail=f"IAM lists it as {status}")
    settle = aws.settings.settle
    detail = f"IAM lists it as {status}; not tried, given {settle.total_seconds():g} s to settle"
    return Sight(dead=ctx.now() - ctx.started_at >= settle, method="admin", detail=detail)


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
        # An expired probe, and a call that was never allowed, show nothing: IAM is asked instead.
        unclear = tried.answer is Answer.EXPIRED or (
            not worked and tried.answer is Answer.NOT_ALLOWED
        )
        if not unclear:
            return Sight(dead=False, method="live", detail=f"{witness}: {tried}")
    return _session_by_policy(aws, ctx, user)


def _session_by_policy(aws: AwsClients, ctx: StepContext, user: str) -> Sight:
    """Our deny is in place and settled, and IAM's simulator says that it covers older sessions."""
    found = Inline(aws, "User").read(user, policy_name(leaked_id(ctx)))
    cut = cut_of(found.policy)
    if cut is None:
        return Sight(dead=False, method="admin", detail="older sessions are not denied")
    if ctx.now() - ctx.started_at < aws.settings.settle:
        return Sight(dead=False, method="admin", detail="the deny has not settled everywhere")
    # The newest session that can exist: the key was seen refused before this look.
    newest = min(found.at or ctx.now(), datetime.fromisoformat(cut) - timedelta(seconds=1))
    try:
        decision = _simulate(aws, user, issued_at=newest)
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

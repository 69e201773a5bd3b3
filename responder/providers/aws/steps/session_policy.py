"""Deny the sessions that were minted from the key, and take that back.

A disabled key does not end its sessions (up to 36 h). IAM users have no "revoke sessions" button,
so the user gets an inline policy that denies everything to sessions issued before a moment.
Long-term keys carry no ``aws:TokenIssueTime``: the condition does not match them, and consumers
with another key keep working.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import (
    Absent,
    Call,
    Effect,
    NotYet,
    Present,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import LimitReached, NotThere, calling
from stanch.responder.providers.aws.adapter.identity import OwnedKey, text_of
from stanch.responder.providers.patience import SOON

POLICY = "StanchDenyOlderSessions"
# The key works for some seconds after it was disabled, so sessions can still be minted then. The
# cut lies behind that window. Price: a session minted by an honest consumer of the same user within
# this minute is denied too, and must be fetched anew.
MARGIN = timedelta(seconds=60)


def document(cut: str) -> dict[str, Any]:
    """The policy that denies everything to sessions issued before ``cut``."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": POLICY,
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"DateLessThan": {"aws:TokenIssueTime": cut}},
            }
        ],
    }


def cut_of(policy: object) -> str | None:
    """The moment inside a policy of ours; None when it is not of our making, or was edited."""
    try:
        cut = policy["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"]  # type: ignore[index]  # any other shape is not ours
    except (KeyError, IndexError, TypeError):
        return None
    return cut if isinstance(cut, str) and policy == document(cut) else None


def read_policy(aws: AwsClients, user: str) -> object | None:
    """The policy of our name on the user, or None."""
    try:
        with calling("iam:GetUserPolicy"):
            answer = aws.iam().get_user_policy(UserName=user, PolicyName=POLICY)
    except NotThere:
        return None
    found: object = answer["PolicyDocument"]
    return json.loads(found) if isinstance(found, str) else found


def put_policy(aws: AwsClients, user: str, policy: object) -> str:
    """Write the policy; returns the request id."""
    try:
        with calling("iam:PutUserPolicy"):
            answer = aws.iam(attempts=1).put_user_policy(
                UserName=user,
                PolicyName=POLICY,
                PolicyDocument=json.dumps(policy, separators=(",", ":")),
            )
    except LimitReached:
        raise StepFailed(
            f"the inline policies of {user} have no room for {POLICY}: IAM allows 2,048 characters",
            remedy="move one of them to a managed policy, then `stanch respond` the incident again",
        ) from None
    return answer["ResponseMetadata"]["RequestId"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsUndo:
    """What undo knows: the user and which policy of our name was there before."""

    user: str
    before: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, object] = field(default_factory=dict)


class DenyUserSessions:
    """Put the deny on the user. Other policies are not touched."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.deny_user_sessions",
        title="Deny the user's older sessions",
        effect=Effect.REVERSIBLE,
        params=OwnedKey,
        permissions=("iam:PutUserPolicy", "iam:GetUserPolicy"),
        undo="aws.iam.allow_user_sessions",
        outputs=("policy", "cut"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: OwnedKey, preview: str) -> tuple[Call, ...]:
        """One change."""
        del preview
        return (
            Call(
                api="iam:PutUserPolicy",
                arguments={
                    "UserName": params.user,
                    "PolicyName": POLICY,
                    "PolicyDocument": "Deny * where aws:TokenIssueTime < start of this step + 60 s",
                },
            ),
        )

    def observe(self, params: OwnedKey, ctx: StepContext) -> Present | Absent:
        """Present when the very same document is there."""
        found = read_policy(self._aws, params.user)
        if found == document(_cut(ctx)):
            return Present(evidence={"policy": POLICY, "cut": _cut(ctx)})
        if found is not None and cut_of(found) is None:
            raise StepFailed(
                f"{params.user} has a policy {POLICY} that is not of our making",
                remedy="rename or remove it, then `stanch respond` the incident again",
            )
        return Absent(before={"cut": cut_of(found)})

    def act(self, params: OwnedKey, ctx: StepContext) -> JsonObject:
        """Put the policy."""
        cut = _cut(ctx)
        return {"request_id": put_policy(self._aws, params.user, document(cut)), "cut": cut}

    def verify(self, params: OwnedKey, ctx: StepContext) -> Verdict:
        """IAM returns the document we wrote."""
        if read_policy(self._aws, params.user) != document(_cut(ctx)):
            return NotYet(why=f"IAM does not show {POLICY} on {params.user} yet", after=SOON)
        found = {"policy": POLICY, "cut": _cut(ctx)}
        return Verified(evidence=found, outputs=found)


class AllowUserSessions:
    """Remove the deny, or put back the one that was there before; only if it is still ours."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.allow_user_sessions",
        title="Allow the user's sessions again",
        effect=Effect.REVERSIBLE,
        params=SessionsUndo,
        permissions=("iam:DeleteUserPolicy", "iam:PutUserPolicy", "iam:GetUserPolicy"),
        undo="aws.iam.deny_user_sessions",
        outputs=("policy",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: SessionsUndo, preview: str) -> tuple[Call, ...]:
        """One change: delete, or the older deny put back."""
        del preview
        api = "iam:PutUserPolicy" if params.before.get("cut") else "iam:DeleteUserPolicy"
        return (Call(api=api, arguments={"UserName": params.user, "PolicyName": POLICY}),)

    def observe(self, params: SessionsUndo, ctx: StepContext) -> Present | Absent:
        """Present when the user is as before us."""
        del ctx
        found = read_policy(self._aws, params.user)
        if found == _wanted(params):
            return Present(evidence={"policy": "as before"})
        cut = cut_of(found)
        if cut is None or cut != params.outputs.get("cut", cut):
            now = "gone" if found is None else "edited since we wrote it"
            raise StepFailed(
                f"the policy {POLICY} of {params.user} is {now}; it was not touched",
                remedy="look at it in IAM and remove it by hand if it is not needed",
            )
        return Absent(before={"cut": cut})

    def act(self, params: SessionsUndo, ctx: StepContext) -> JsonObject:
        """Restore what was there."""
        del ctx
        wanted = _wanted(params)
        if wanted is not None:
            return {"request_id": put_policy(self._aws, params.user, wanted)}
        try:
            with calling("iam:DeleteUserPolicy"):
                answer = self._aws.iam(attempts=1).delete_user_policy(
                    UserName=params.user, PolicyName=POLICY
                )
        except NotThere:
            return {"answer": "the policy is gone"}
        return {"request_id": answer["ResponseMetadata"]["RequestId"]}

    def verify(self, params: SessionsUndo, ctx: StepContext) -> Verdict:
        """IAM shows what was there before."""
        del ctx
        if read_policy(self._aws, params.user) != _wanted(params):
            return NotYet(why=f"IAM still shows our {POLICY} on {params.user}", after=SOON)
        return Verified(evidence={"policy": "as before"}, outputs={"policy": POLICY})


def _cut(ctx: StepContext) -> str:
    """The same for every attempt, because ``started_at`` is."""
    return text_of(ctx.started_at + MARGIN)


def _wanted(params: SessionsUndo) -> object | None:
    before = params.before.get("cut")
    return document(before) if isinstance(before, str) else None

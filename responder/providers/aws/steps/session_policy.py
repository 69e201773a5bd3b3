"""Deny the sessions that were minted from the key, and take that back.

A disabled key does not end its sessions (up to 36 h). IAM users have no "revoke sessions" button,
so the user gets an inline policy that denies everything to sessions issued before a moment.
Long-term keys carry no ``aws:TokenIssueTime``: the condition does not match them, and consumers
with another key keep working.
"""

from __future__ import annotations

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
from stanch.responder.providers.aws.adapter.error import NotThere
from stanch.responder.providers.aws.adapter.identity import (
    OwnedKey,
    leaked_id,
    status_of,
    text_of,
)
from stanch.responder.providers.aws.adapter.inline import Inline, condition_of, deny, named
from stanch.responder.providers.patience import SOON

POLICY = "StanchDenyOlderSessions"
# The key works for some seconds after it was disabled, so sessions can still be minted then. The
# cut lies behind that window. Price: a session minted by an honest consumer of the same user within
# this minute is denied too, and must be fetched anew.
MARGIN = timedelta(seconds=60)
_LOOK_AGAIN = 0.2  # seconds


def policy_name(key_id: str) -> str:
    """The name of the deny for this key."""
    return named(POLICY, key_id)


def document(cut: str) -> dict[str, Any]:
    """The policy that denies everything to sessions issued before ``cut``."""
    return deny(POLICY, {"DateLessThan": {"aws:TokenIssueTime": cut}})


def cut_of(policy: object) -> str | None:
    """The moment inside a policy of ours; None when it is not of our making, or was edited."""
    before = condition_of(policy).get("DateLessThan")
    cut = before.get("aws:TokenIssueTime") if isinstance(before, Mapping) else None
    return cut if isinstance(cut, str) and policy == document(cut) else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsUndo:
    """What undo knows: the user and which policy of our name was there before."""

    user: str
    before: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, object] = field(default_factory=dict)


class DenyUserSessions:
    """Put the deny on the user. Other policies are not touched.

    The cut is read from AWS's clock, not from ours, after the key was seen disabled (or after a
    moment's patience), and it never moves back.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.deny_user_sessions",
        shares="user",
        title="Deny the user's older sessions",
        effect=Effect.REVERSIBLE,
        params=OwnedKey,
        permissions=("iam:PutUserPolicy", "iam:GetUserPolicy", "iam:ListAccessKeys"),
        parts=("access_key_id",),
        undo="aws.iam.allow_user_sessions",
        outputs=("policy", "cut"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws
        self._policies = Inline(aws, "User")

    def calls(self, params: OwnedKey, preview: str) -> tuple[Call, ...]:
        """One change."""
        del preview
        return (
            Call(
                api="iam:PutUserPolicy",
                arguments={
                    "UserName": params.user,
                    "PolicyName": f"{POLICY}-…",
                    "PolicyDocument": "Deny * where aws:TokenIssueTime < AWS's now + 60 s",
                },
            ),
        )

    def observe(self, params: OwnedKey, ctx: StepContext) -> Present | Absent:
        """Present when a deny of ours reaches far enough, or when nobody's sessions are known."""
        if not params.user:
            return Present(evidence={"applies": "no: whose key it was is not known"})
        self._await_disabled(params.user, ctx)
        name = policy_name(leaked_id(ctx))
        found = self._policies.read(params.user, name)
        cut = cut_of(found.policy)
        if found.policy is not None and cut is None:
            raise StepFailed(
                f"{params.user} has a policy {name} that is not of our making",
                remedy="rename or remove it, then `stanch respond` the incident again",
            )
        now = found.at or ctx.now()
        wanted = ctx.before.get("wanted") or text_of(now + MARGIN)
        if cut is not None and cut >= str(wanted):
            ours = cut == ctx.before.get("wanted")  # to the second what we were about to write
            return Present(evidence={"policy": name, "cut": cut}, ours=ours)
        skew = (ctx.now() - now).total_seconds()
        return Absent(before={"cut": cut, "wanted": str(wanted), "skew_seconds": round(skew)})

    def act(self, params: OwnedKey, ctx: StepContext) -> JsonObject:
        """Put the policy."""
        cut = _wanted_cut(ctx)
        name = policy_name(leaked_id(ctx))
        answered = self._policies.put(params.user, name, document(cut))
        skew = ctx.before.get("skew_seconds", 0)
        return {"request_id": answered, "cut": cut, "our clock minus AWS's, seconds": skew}

    def verify(self, params: OwnedKey, ctx: StepContext) -> Verdict:
        """IAM returns a deny that reaches at least as far as ours."""
        if not params.user:
            return Verified(evidence={}, outputs={"policy": "", "cut": ""})
        name = policy_name(leaked_id(ctx))
        cut = cut_of(self._policies.read(params.user, name).policy)
        if cut is None or cut < _wanted_cut(ctx):
            return NotYet(why=f"IAM does not show {name} on {params.user} yet", after=SOON)
        found = {"policy": name, "cut": cut}
        return Verified(evidence=found, outputs=found)

    def _await_disabled(self, user: str, ctx: StepContext) -> None:
        """A session minted after the cut would escape it, so the key should be disabled first.

        The step that disables runs beside this one; should it fail, sessions are denied anyway.
        """
        waited, patience = 0.0, self._aws.settings.settle.total_seconds()
        while waited < patience and status_of(self._aws, user, leaked_id(ctx)) == "Active":
            self._aws.sleep(_LOOK_AGAIN)
            waited += _LOOK_AGAIN


class AllowUserSessions:
    """Remove the deny, or put back the one that was there before; only if it is still ours."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.allow_user_sessions",
        shares="user",
        title="Allow the user's sessions again",
        effect=Effect.REVERSIBLE,
        params=SessionsUndo,
        permissions=("iam:DeleteUserPolicy", "iam:PutUserPolicy", "iam:GetUserPolicy"),
        parts=("access_key_id",),
        undo="aws.iam.deny_user_sessions",
        outputs=("policy",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._policies = Inline(aws, "User")

    def calls(self, params: SessionsUndo, preview: str) -> tuple[Call, ...]:
        """One change: delete, or the older deny put back."""
        del preview
        api = "iam:PutUserPolicy" if params.before.get("cut") else "iam:DeleteUserPolicy"
        return (Call(api=api, arguments={"UserName": params.user, "PolicyName": f"{POLICY}-…"}),)

    def observe(self, params: SessionsUndo, ctx: StepContext) -> Present | Absent:
        """Present when the user is as before us."""
        name = policy_name(leaked_id(ctx))
        found = self._policies.read(params.user, name).policy
        if found == _wanted(params):
            return Present(evidence={"policy": "as before"})
        cut = cut_of(found)
        if cut is None or cut != params.outputs.get("cut", cut):
            now = "gone" if found is None else "edited since we wrote it"
            raise StepFailed(
                f"the policy {name} of {params.user} is {now}; it was not touched",
                remedy="look at it in IAM and remove it by hand if it is not needed",
            )
        return Absent(before={"cut": cut})

    def act(self, params: SessionsUndo, ctx: StepContext) -> JsonObject:
        """Restore what was there."""
        name = policy_name(leaked_id(ctx))
        wanted = _wanted(params)
        if wanted is not None:
            return {"request_id": self._policies.put(params.user, name, wanted)}
        try:
            return {"request_id": self._policies.remove(params.user, name)}
        except NotThere:
            return {"answer": "the policy is gone"}

    def verify(self, params: SessionsUndo, ctx: StepContext) -> Verdict:
        """IAM shows what was there before."""
        name = policy_name(leaked_id(ctx))
        if self._policies.read(params.user, name).policy != _wanted(params):
            return NotYet(why=f"IAM still shows our {name} on {params.user}", after=SOON)
        return Verified(evidence={"policy": "as before"}, outputs={"policy": name})


def _wanted_cut(ctx: StepContext) -> str:
    """The same for every attempt; never earlier than what was there before."""
    before = ctx.before.get("cut")
    wanted = str(ctx.before.get("wanted", ""))
    return max(wanted, before) if isinstance(before, str) else wanted


def _wanted(params: SessionsUndo) -> dict[str, Any] | None:
    before = params.before.get("cut")
    return document(before) if isinstance(before, str) else None

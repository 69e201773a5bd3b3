"""Disable the leaked key, and take that back."""

from __future__ import annotations

from typing import ClassVar

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import (
    BY,
    SOMEBODY,
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
from stanch.responder.providers.aws.adapter.author import who_disabled
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere
from stanch.responder.providers.aws.adapter.identity import (
    ABSENT,
    OwnedKey,
    OwnedKeyUndo,
    leaked_id,
    set_status,
    status_of,
    text_of,
)
from stanch.responder.providers.patience import SOON


class DisableAccessKey:
    """Make the key inactive. Its sessions live on: see ``aws.iam.deny_user_sessions``."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.disable_access_key",
        title="Disable the access key",
        effect=Effect.REVERSIBLE,
        params=OwnedKey,
        permissions=("iam:UpdateAccessKey", "iam:ListAccessKeys", "cloudtrail:LookupEvents"),
        parts=("access_key_id",),
        undo="aws.iam.enable_access_key",
        outputs=("status",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: OwnedKey, preview: str) -> tuple[Call, ...]:
        """One change."""
        return (_update(params.user, preview, "Inactive"),)

    def observe(self, params: OwnedKey, ctx: StepContext) -> Present | Absent:
        """Present when the key is inactive or gone."""
        if not params.user:
            return Present(evidence={"status": ABSENT})
        status = status_of(self._aws, params.user, leaked_id(ctx))
        if status == "Active":
            return Absent(before={"status": status, "at": text_of(ctx.now())})
        if not ctx.before:
            return Present(evidence={"status": status})
        # Our answer was lost, and a disabled key looks the same whoever disabled it.
        author = who_disabled(self._aws, leaked_id(ctx), ctx.before, ctx.now())
        return Present(evidence={"status": status, "trail": author.who}, ours=author.ours)

    def act(self, params: OwnedKey, ctx: StepContext) -> JsonObject:
        """Disable it. A key deleted meanwhile is as good."""
        try:
            changed = set_status(self._aws, params.user, leaked_id(ctx), "Inactive")
        except NotThere:
            return {"answer": "the key is gone"}
        return {"request_id": changed}

    def verify(self, params: OwnedKey, ctx: StepContext) -> Verdict:
        """IAM's own list says so. Whether the key is refused is ``aws.proof.refused``'s to show."""
        status = status_of(self._aws, params.user, leaked_id(ctx)) if params.user else ABSENT
        if status == "Active":
            return NotYet(why=f"IAM still lists {ctx.preview} as active", after=SOON)
        return Verified(evidence={"status": status}, outputs={"status": status})


class EnableAccessKey:
    """Make the key active again, if it was active before we came and is still there."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.enable_access_key",
        title="Enable the access key again",
        effect=Effect.REVERSIBLE,
        params=OwnedKeyUndo,
        permissions=("iam:UpdateAccessKey", "iam:ListAccessKeys", "cloudtrail:LookupEvents"),
        parts=("access_key_id",),
        undo="aws.iam.disable_access_key",
        outputs=("status",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: OwnedKeyUndo, preview: str) -> tuple[Call, ...]:
        """One change."""
        return (_update(params.user, preview, "Active"),)

    def observe(self, params: OwnedKeyUndo, ctx: StepContext) -> Present | Absent:
        """Present when it is active, or was not active before us either."""
        if params.before.get("status") != "Active":
            return Present(evidence={"status": "not active before us: left as it is"})
        status = status_of(self._aws, params.user, leaked_id(ctx))
        if status == ABSENT:
            raise _gone(ctx)
        if status == "Active":
            return Present(evidence={"status": status})
        if params.evidence.get(BY) == SOMEBODY:
            self._require_ours(params, ctx)
        return Absent(before={"status": status})

    def _require_ours(self, params: OwnedKeyUndo, ctx: StepContext) -> None:
        """The answer to our disabling was lost: what somebody else disabled stays so."""
        author = who_disabled(self._aws, leaked_id(ctx), params.before, ctx.now())
        if author.ours is None:
            raise StepFailed(
                f"who disabled {ctx.preview} is {author.who}; it was not enabled",
                remedy="`stanch undo` asks again; or ask those who may have, and enable it in IAM",
            )
        if not author.ours:
            raise StepFailed(
                f"{author.who} disabled {ctx.preview}, not Stanch; it was not enabled",
                remedy="ask them why, and enable it in IAM if it is to work again",
            )

    def act(self, params: OwnedKeyUndo, ctx: StepContext) -> JsonObject:
        """Enable it."""
        try:
            changed = set_status(self._aws, params.user, leaked_id(ctx), "Active")
        except NotThere:
            raise _gone(ctx) from None
        return {"request_id": changed}

    def verify(self, params: OwnedKeyUndo, ctx: StepContext) -> Verdict:
        """IAM's list shows what was there before."""
        status = status_of(self._aws, params.user, leaked_id(ctx))
        if params.before.get("status") == "Active" and status != "Active":
            return NotYet(why=f"IAM still lists {ctx.preview} as {status}", after=SOON)
        return Verified(evidence={"status": status}, outputs={"status": status})


def _update(user: str, preview: str, status: str) -> Call:
    return Call(
        api="iam:UpdateAccessKey",
        arguments={"UserName": user, "AccessKeyId": preview, "Status": status},
    )


def _gone(ctx: StepContext) -> StepFailed:
    return StepFailed(
        f"{ctx.preview} has been deleted since; it cannot be enabled again",
        remedy="give the consumer a new key; `stanch incidents` shows the replacement, if any",
    )

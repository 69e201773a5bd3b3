"""Delete the leaked key for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

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
    ABSENT,
    delete_key,
    leaked_id,
    sealed_pair,
    status_of,
)
from stanch.responder.providers.aws.adapter.secret import holds_pair, read_current
from stanch.responder.providers.aws.steps.replacement import SEALED
from stanch.responder.providers.patience import SOON


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletion:
    """Whose key, and the secret that must hold its replacement before it may go.

    ``secret`` is empty when no consumer is known, ``replacement`` when the user has no room for a
    second key: then it goes without.
    """

    user: str
    secret: str
    replacement: str = ""


class DeleteAccessKey:
    """Delete the key, if it is still disabled and its consumer has the replacement."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.delete_access_key",
        opens=("replacement",),
        shares="user",
        title="Delete the leaked access key",
        effect=Effect.FINAL,
        params=Deletion,
        permissions=(
            "iam:DeleteAccessKey",
            "iam:ListAccessKeys",
            "secretsmanager:GetSecretValue",
        ),
        parts=("access_key_id",),
        outputs=("status",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Deletion, preview: str) -> tuple[Call, ...]:
        """One deletion, and what becomes of the consumer."""
        if not params.secret:
            consumer = "none is known, so nobody gets a new key"
        elif not params.replacement:
            consumer = f"{params.secret} gets a new key afterwards: there is no room for two"
        else:
            consumer = f"{params.secret} holds the new key {params.replacement}"
        return (
            Call(
                api="iam:DeleteAccessKey",
                arguments={"UserName": params.user, "AccessKeyId": preview, "Consumer": consumer},
            ),
        )

    def observe(self, params: Deletion, ctx: StepContext) -> Present | Absent:
        """Present when IAM does not list it. Refuses when deleting would surprise somebody."""
        if not params.user:
            return Present(evidence={"status": ABSENT})
        status = status_of(self._aws, params.user, leaked_id(ctx))
        if status == ABSENT:
            return Present(evidence={"status": status})
        if status == "Active":
            raise StepFailed(
                f"{ctx.preview} is active again; it was not deleted",
                remedy="somebody enabled it: talk to them, then `stanch respond` again",
            )
        if not params.secret or not params.replacement:
            return Absent(before={"status": status})
        current = read_current(self._aws, params.secret)
        if not holds_pair(current.text, sealed_pair(ctx, SEALED)):
            raise StepFailed(
                f"{params.secret} no longer holds the replacement; {ctx.preview} was not deleted",
                remedy="see who changed the secret since the approval was asked for",
            )
        return Absent(before={"status": status})

    def act(self, params: Deletion, ctx: StepContext) -> JsonObject:
        """Delete it."""
        try:
            return {"request_id": delete_key(self._aws, params.user, leaked_id(ctx))}
        except NotThere:
            return {"answer": "the key is gone"}

    def verify(self, params: Deletion, ctx: StepContext) -> Verdict:
        """IAM does not list it. Whether it is refused is ``aws.proof.dead``'s to show."""
        status = status_of(self._aws, params.user, leaked_id(ctx)) if params.user else ABSENT
        if status != ABSENT:
            return NotYet(why=f"IAM still lists {ctx.preview}", after=SOON)
        return Verified(evidence={"status": status}, outputs={"status": status})

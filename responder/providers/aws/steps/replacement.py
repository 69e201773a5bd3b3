"""A new key for the user, sealed the moment it is born, and its removal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import (
    Absent,
    Call,
    Effect,
    NotYet,
    Present,
    Refuted,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import LimitReached, NotThere, calling, mask_id
from stanch.responder.providers.aws.adapter.identity import (
    ABSENT,
    agent,
    delete_key,
    keys_at,
    keys_of,
    sealed_pair,
    status_of,
    text_of,
)
from stanch.responder.providers.patience import SOON
from stanch.scanner.model.secret import SecretValue

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import AccessKeyMetadataTypeDef, AccessKeyTypeDef

SEALED = "replacement"
# The time limits of a connection and of an answer, and a second for each rounding of a clock.
_ONE_CALL = timedelta(seconds=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Whose key, and the secret that waits for it (empty: nobody would get the new key)."""

    user: str
    secret: str


class CreateReplacementKey:
    """Create a second key and seal it at once; AWS shows its secret this one time.

    A crash, or an answer lost, between the creation and the sealing leaves a key whose secret
    nobody has. The next attempt deletes it only if it is certainly ours: not there when the intent
    was written, created within the moment of our call by AWS's own clock, and never used. A key
    that somebody made meanwhile is not touched, whatever it looks like.

    When the user has no room for another key, nothing is made: the leaked key must go first.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.create_replacement_key",
        opens=("replacement",),
        shares="user",
        title="Create a replacement key",
        effect=Effect.REVERSIBLE,
        params=Replacement,
        permissions=(
            "iam:CreateAccessKey",
            "iam:ListAccessKeys",
            "iam:GetAccessKeyLastUsed",
            "iam:DeleteAccessKey",
        ),
        undo="aws.iam.delete_replacement_key",
        outputs=("key",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Replacement, preview: str) -> tuple[Call, ...]:
        """One creation."""
        del preview
        return (Call(api="iam:CreateAccessKey", arguments={"UserName": params.user}),)

    def observe(self, params: Replacement, ctx: StepContext) -> Present | Absent:
        """Present when this run sealed a replacement, or when nobody would get one."""
        if not params.secret:
            return Present(evidence={"applies": "no: no consumer is known"})
        if ctx.sealed(SEALED) is not None:
            return Present(evidence={"key": mask_id(_sealed_id(ctx))}, ours=True)
        try:
            listed, at = keys_at(self._aws, params.user)
        except NotThere:
            raise _no_user(params.user) from None
        known = [mask_id(key["AccessKeyId"]) for key in listed]
        return Absent(before={"keys": known, "at": text_of(at or ctx.now())})

    def act(self, params: Replacement, ctx: StepContext) -> JsonObject:
        """Create and seal."""
        dropped = self._drop_orphans(params.user, ctx)
        try:
            with calling("iam:CreateAccessKey"):
                # One attempt: a blind repetition after a lost answer would make a second orphan.
                answer = self._aws.iam(attempts=1).create_access_key(UserName=params.user)
        except LimitReached:
            return {
                "made": "none: the user has two keys, IAM's limit; the leaked one must go first"
            }
        except NotThere:
            raise _no_user(params.user) from None
        _seal(ctx, answer["AccessKey"])
        return {
            "key": mask_id(answer["AccessKey"]["AccessKeyId"]),
            "request_id": answer["ResponseMetadata"]["RequestId"],
            "orphans_deleted": dropped,
        }

    def verify(self, params: Replacement, ctx: StepContext) -> Verdict:
        """IAM lists it as active and STS accepts it."""
        if ctx.sealed(SEALED) is None:
            return Verified(evidence={}, outputs={"key": ""})
        key_id = _sealed_id(ctx)
        status = status_of(self._aws, params.user, key_id)
        if status == "Inactive":
            return Refuted(
                why=f"the replacement {mask_id(key_id)} is {status}",
                remedy="somebody disabled it; find out why before you go on",
            )
        tried = try_identity(self._aws, sealed_pair(ctx, SEALED), agent=agent(ctx))
        if status == ABSENT or tried.answer is not Answer.ACCEPTED:
            return NotYet(why=f"the replacement is {status} and {tried}", after=SOON)
        found = {"key": mask_id(key_id)}
        return Verified(evidence={**found, "sts": str(tried)}, outputs=found)

    def _drop_orphans(self, user: str, ctx: StepContext) -> int:
        """Delete what our own call made and lost: created in its moment, and never used."""
        known = ctx.before.get("keys")
        known = known if isinstance(known, Sequence) else ()
        dropped = 0
        for key in keys_of(self._aws, user):
            foreign = mask_id(key["AccessKeyId"]) in known or not _of_our_call(key, ctx)
            if foreign or self._used(key["AccessKeyId"]):
                continue
            delete_key(self._aws, user, key["AccessKeyId"])
            dropped += 1
        return dropped

    def _used(self, key_id: str) -> bool:
        with calling("iam:GetAccessKeyLastUsed"):
            answer = self._aws.iam().get_access_key_last_used(AccessKeyId=key_id)
        return "LastUsedDate" in answer["AccessKeyLastUsed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplacementUndo:
    """What undo knows: whose key it is."""

    user: str


class DeleteReplacementKey:
    """Delete the replacement, which no consumer uses once the secret is restored."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.delete_replacement_key",
        opens=("replacement",),
        shares="user",
        title="Delete the replacement key",
        effect=Effect.FINAL,
        params=ReplacementUndo,
        permissions=("iam:DeleteAccessKey", "iam:ListAccessKeys"),
        outputs=("key",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: ReplacementUndo, preview: str) -> tuple[Call, ...]:
        """One deletion."""
        del preview
        return (
            Call(
                api="iam:DeleteAccessKey",
                arguments={"UserName": params.user, "AccessKeyId": "the replacement"},
            ),
        )

    def observe(self, params: ReplacementUndo, ctx: StepContext) -> Present | Absent:
        """Present when it is gone, or was never sealed (then nobody has its secret)."""
        if ctx.sealed(SEALED) is None:
            return Present(evidence={"key": "none was sealed"})
        status = status_of(self._aws, params.user, _sealed_id(ctx))
        if status == ABSENT:
            return Present(evidence={"status": status})
        return Absent(before={"status": status})

    def act(self, params: ReplacementUndo, ctx: StepContext) -> JsonObject:
        """Delete it."""
        try:
            return {"request_id": delete_key(self._aws, params.user, _sealed_id(ctx))}
        except NotThere:
            return {"answer": "the key is gone"}

    def verify(self, params: ReplacementUndo, ctx: StepContext) -> Verdict:
        """IAM does not list it."""
        if ctx.sealed(SEALED) is None:
            return Verified(evidence={"key": "none was sealed"}, outputs={"key": ""})
        key_id = _sealed_id(ctx)
        if status_of(self._aws, params.user, key_id) != ABSENT:
            return NotYet(why=f"IAM still lists {mask_id(key_id)}", after=SOON)
        return Verified(evidence={"status": ABSENT}, outputs={"key": mask_id(key_id)})


def _of_our_call(key: AccessKeyMetadataTypeDef, ctx: StepContext) -> bool:
    """Created between our look before the call and the latest moment that one call can take."""
    looked = ctx.before.get("at")
    if not isinstance(looked, str):
        return False
    since = key["CreateDate"] - datetime.fromisoformat(looked)
    return timedelta(0) <= since <= _ONE_CALL


def _seal(ctx: StepContext, key: AccessKeyTypeDef) -> None:
    ctx.seal(
        SEALED,
        {
            "access_key_id": SecretValue(key["AccessKeyId"].encode()),
            "secret_access_key": SecretValue(key["SecretAccessKey"].encode()),
        },
    )


def _sealed_id(ctx: StepContext) -> str:
    return ctx.open_sealed(SEALED, "access_key_id").reveal().decode()


def _no_user(user: str) -> StepFailed:
    return StepFailed(
        f"the IAM user {user} is gone", remedy="its keys died with it; close the incident by hand"
    )

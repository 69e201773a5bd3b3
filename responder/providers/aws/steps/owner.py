"""Whose key it is, when it was last used, and which secret its consumers read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.step import (
    Call,
    Effect,
    Refuted,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling
from stanch.responder.providers.aws.adapter.identity import leaked_id, status_of, text_of

SECRET_TAG = "stanch:secret"  # noqa: S105  # the name of a tag
_SHOWN_TAGS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account decoded from the key id; empty when the id does not say."""

    account: str = ""


class FindOwner:
    """Ask IAM whose key it is."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.find_owner",
        title="Find the key's owner and last use",
        effect=Effect.READ,
        params=Account,
        permissions=(
            "iam:GetAccessKeyLastUsed",
            "iam:GetUser",
            "iam:ListAccessKeys",
            "sts:GetCallerIdentity",
        ),
        parts=("access_key_id",),
        outputs=("user", "arn", "account", "secret", "status", "last_used", "last_service"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Account, preview: str) -> tuple[Call, ...]:
        """Three lookups."""
        del params
        return (
            Call(api="iam:GetAccessKeyLastUsed", arguments={"AccessKeyId": preview}),
            Call(api="iam:GetUser", arguments={"UserName": "the owner"}),
            Call(api="iam:ListAccessKeys", arguments={"UserName": "the owner"}),
        )

    def look(self, params: Account, ctx: StepContext) -> Verdict:
        """Owner, status and last use, or why nobody of ours owns it."""
        if params.account and not self._aws.is_ours(params.account):
            return _not_ours(ctx, f"account {params.account} is not one of ours")
        key_id = leaked_id(ctx)
        try:
            with calling("iam:GetAccessKeyLastUsed"):
                used = self._aws.iam().get_access_key_last_used(AccessKeyId=key_id)
            name = used.get("UserName", "")
            if not name:
                return Refuted(
                    why=f"{ctx.preview} belongs to no IAM user: it may be the root user's key",
                    remedy="sign in as root and delete it there; policies cannot restrict root",
                )
            with calling("iam:GetUser"):
                user = self._aws.iam().get_user(UserName=name)["User"]
        except NotThere:
            return _not_ours(ctx, "IAM knows no such key: deleted already, or another account's")
        last = used["AccessKeyLastUsed"]
        tags = {tag["Key"]: tag["Value"] for tag in user.get("Tags", [])}
        found = {
            "user": name,
            "arn": user["Arn"],
            "account": user["Arn"].split(":")[4],
            "secret": tags.get(SECRET_TAG) or self._template(name),
            "status": status_of(self._aws, name, key_id),
            "last_used": text_of(last["LastUsedDate"]) if "LastUsedDate" in last else "",
            "last_service": last.get("ServiceName", "").replace("N/A", ""),
        }
        return Verified(
            evidence={**found, "tags": dict(sorted(tags.items())[:_SHOWN_TAGS])}, outputs=found
        )

    def _template(self, user: str) -> str:
        template = self._aws.settings.secret_template
        try:
            return template.format(user=user)
        except (AttributeError, KeyError, IndexError, ValueError):
            raise StepFailed(
                f"aws.replacement_secret {template!r} cannot be filled in",
                remedy="write it with {user} only, for example 'users/{user}/aws'",
            ) from None


def _not_ours(ctx: StepContext, why: str) -> Refuted:
    return Refuted(
        why=f"{ctx.preview}: {why}",
        remedy="if it is ours, add its account to aws.accounts and use an identity of that account",
    )

"""Whose key it is, when it was last used, and which secret its consumers read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, ClassVar

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
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotAllowed, NotThere, calling
from stanch.responder.providers.aws.adapter.identity import (
    ABSENT,
    agent,
    leaked_id,
    leaked_pair,
    status_of,
    text_of,
)
from stanch.responder.providers.aws.adapter.trail import GLOBAL, parse

if TYPE_CHECKING:
    from mypy_boto3_iam.type_defs import UserTypeDef

SECRET_TAG = "stanch:secret"  # noqa: S105  # the name of a tag
PROTECTED_TAG = "stanch:protected"
_SHOWN_TAGS = 20
_NO = frozenset({"", "no", "false", "0"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The account decoded from the key id; empty when the id does not say."""

    account: str = ""


class FindOwner:
    """Ask IAM whose key it is; for a key that was deleted before we came, ask the trail.

    Our own identity is never touched by a report: whoever reports our key's id would switch the
    responder off.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.find_owner",
        title="Find the key's owner and last use",
        effect=Effect.READ,
        params=Account,
        permissions=(
            "cloudtrail:LookupEvents",
            "iam:GetAccessKeyLastUsed",
            "iam:GetUser",
            "iam:ListAccessKeys",
            "sts:GetCallerIdentity",
        ),
        parts=("access_key_id", "secret_access_key"),
        outputs=(
            "user",
            "arn",
            "account",
            "secret",
            "status",
            "last_used",
            "last_service",
            "protected",
        ),
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
            return _not_ours(ctx, f"account {params.account} is not one of ours", stranger=True)
        key_id = leaked_id(ctx)
        if self._aws.is_own_key(key_id):
            return _ourselves(ctx, "our own configuration signs with it")
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
        except (NotThere, NotAllowed) as error:
            return self._gone(params, ctx, error)
        last = used["AccessKeyLastUsed"]
        return self._found(
            user,
            ctx,
            status=status_of(self._aws, name, key_id),
            last_used=text_of(last["LastUsedDate"]) if "LastUsedDate" in last else "",
            last_service=last.get("ServiceName", "").replace("N/A", ""),
        )

    def _found(self, user: UserTypeDef, ctx: StepContext, **seen: str) -> Verdict:
        if user["Arn"] == self._aws.arn():
            return _ourselves(ctx, f"it is a key of {user['UserName']}")
        tags = {tag["Key"]: tag["Value"] for tag in user.get("Tags", [])}
        found = {
            "user": user["UserName"],
            "arn": user["Arn"],
            "account": user["Arn"].split(":")[4],
            "secret": tags.get(SECRET_TAG) or self._template(user["UserName"]),
            "protected": "yes" if self._protected(user["Arn"], tags) else "no",
            **seen,
        }
        shown = dict(sorted(tags.items())[:_SHOWN_TAGS])
        return Verified(evidence={**found, "tags": shown}, outputs=found)

    def _protected(self, arn: str, tags: Mapping[str, str]) -> bool:
        marked = tags.get(PROTECTED_TAG, "").lower() not in _NO
        return marked or any(fnmatchcase(arn, p) for p in self._aws.settings.protected)

    def _gone(self, params: Account, ctx: StepContext, error: NotThere | NotAllowed) -> Verdict:
        """IAM shows no such key. If it was one of ours, its sessions may still live.

        The account stands in the id; the user in what the trail recorded of the key's use. Where
        IAM would not say, the user's list does: what we may not ask about is not gone for that.
        """
        if not params.account:
            return _not_ours(ctx, "IAM knows no such key: deleted already, or another account's")
        user = self._last_user(leaked_id(ctx))
        if user is not None:
            status = status_of(self._aws, user["UserName"], leaked_id(ctx))
            return self._found(user, ctx, status=status, last_used="", last_service="")
        pair = leaked_pair(ctx) if self._aws.settings.probe else None
        tried = try_identity(self._aws, pair, agent=agent(ctx)) if pair else None
        if tried is not None and tried.answer is Answer.ACCEPTED:
            return _not_ours(ctx, f"it works, but our identity cannot see it: {error}")
        rejected = tried is not None and tried.answer is Answer.REJECTED
        known = tried is not None and tried.answer is Answer.WRONG_SECRET
        if known or (isinstance(error, NotAllowed) and not rejected):
            return _not_ours(ctx, f"whether it is gone is not known: {error}")
        found = {
            "user": "",
            "arn": "",
            "account": params.account,
            "secret": "",
            "status": ABSENT,
            "last_used": "",
            "last_service": "",
            "protected": "no",
        }
        return Verified(evidence={**found, "tried": str(tried)}, outputs=found)

    def _last_user(self, key_id: str) -> UserTypeDef | None:
        """The user who used the key last, as far as the trail of our Region and IAM's knows."""
        for region in dict.fromkeys((GLOBAL, self._aws.settings.region)):
            try:
                with calling("cloudtrail:LookupEvents"):
                    found = self._aws.cloudtrail(region).lookup_events(
                        LookupAttributes=[
                            {"AttributeKey": "AccessKeyId", "AttributeValue": key_id}
                        ],
                        MaxResults=50,
                    )["Events"]
                names = {use.user for use in map(parse, found) if use.user}
                for name in sorted(names):
                    with calling("iam:GetUser"):
                        return self._aws.iam().get_user(UserName=name)["User"]
            except (NotThere, StepFailed):
                continue
        return None

    def _template(self, user: str) -> str:
        template = self._aws.settings.secret_template
        try:
            return template.format(user=user)
        except (AttributeError, KeyError, IndexError, ValueError):
            raise StepFailed(
                f"aws.replacement_secret {template!r} cannot be filled in",
                remedy="write it with {user} only, for example 'users/{user}/aws'",
            ) from None


def _ourselves(ctx: StepContext, why: str) -> Refuted:
    return Refuted(
        why=f"{ctx.preview} belongs to Stanch's own identity: {why}",
        remedy="give Stanch another identity (a role that rests on no key), then take this one up "
        "again: it was not touched, because Stanch would have switched itself off",
    )


def _not_ours(ctx: StepContext, why: str, *, stranger: bool = False) -> Refuted:
    return Refuted(
        why=f"{ctx.preview}: {why}",
        remedy="if it is ours, add its account to aws.accounts and use an identity of that account",
        stranger=stranger,
    )

"""What several AWS steps read alike: the leaked key, its status, its owner's keys."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stanch.responder.domain.step import StepContext
from stanch.responder.providers.aws.adapter.client import AwsClients, Credentials
from stanch.responder.providers.aws.adapter.error import NotThere, aws_time, calling

if TYPE_CHECKING:
    from mypy_boto3_iam.literals import StatusTypeType
    from mypy_boto3_iam.type_defs import AccessKeyMetadataTypeDef

ABSENT = "absent"  # the status of a key that IAM does not list


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedKey:
    """The leaked key of this IAM user."""

    user: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnedKeyUndo:
    """What undo knows: the original parameters and what was there before.

    ``before``, ``outputs`` and ``evidence`` are JSON objects of the step that is taken back.
    """

    user: str
    before: Mapping[str, object] = field(default_factory=dict)
    outputs: Mapping[str, object] = field(default_factory=dict)
    evidence: Mapping[str, object] = field(default_factory=dict)


def leaked_id(ctx: StepContext) -> str:
    """The leaked key's id, opened from the vault."""
    return ctx.open("access_key_id").reveal().decode("ascii", "replace")


def leaked_pair(ctx: StepContext) -> Credentials | None:
    """The leaked pair, or None when only its id leaked."""
    if not ctx.has("secret_access_key"):
        return None
    return Credentials(
        access_key_id=ctx.open("access_key_id"), secret_access_key=ctx.open("secret_access_key")
    )


def sealed_pair(ctx: StepContext, name: str) -> Credentials:
    """A key pair born in this run."""
    return Credentials(
        access_key_id=ctx.open_sealed(name, "access_key_id"),
        secret_access_key=ctx.open_sealed(name, "secret_access_key"),
    )


def agent(ctx: StepContext) -> str:
    """How our attempts with the leaked key sign themselves; the run's id cannot be guessed."""
    return f"stanch/{ctx.run}"


def agents(ctx: StepContext) -> frozenset[str]:
    """How our attempts signed themselves in any run of this incident."""
    return frozenset(f"stanch/{run}" for run in ctx.runs)


def keys_of(aws: AwsClients, user: str, *, attempts: int = 3) -> list[AccessKeyMetadataTypeDef]:
    """The user's access keys. Raises :class:`NotThere` when there is no such user."""
    with calling("iam:ListAccessKeys"):
        pages = aws.iam(attempts=attempts).get_paginator("list_access_keys").paginate(UserName=user)
        return [key for page in pages for key in page["AccessKeyMetadata"]]


def keys_at(aws: AwsClients, user: str) -> tuple[list[AccessKeyMetadataTypeDef], datetime | None]:
    """The user's access keys, and AWS's clock when it listed them. Raises :class:`NotThere`."""
    with calling("iam:ListAccessKeys"):
        answer = aws.iam().list_access_keys(UserName=user)  # two at most, so never a second page
    return list(answer["AccessKeyMetadata"]), aws_time(answer)


def status_of(aws: AwsClients, user: str, key_id: str) -> str:
    """``Active``, ``Inactive`` (IAM's words) or ``absent``."""
    try:
        found = (key for key in keys_of(aws, user) if key["AccessKeyId"] == key_id)
        return next((str(key["Status"]) for key in found), ABSENT)
    except NotThere:
        return ABSENT


def set_status(aws: AwsClients, user: str, key_id: str, status: StatusTypeType) -> str:
    """Change it, at one attempt; the request's id. Raises :class:`NotThere`."""
    with calling("iam:UpdateAccessKey", only_change=True):
        answer = aws.iam(attempts=1).update_access_key(
            UserName=user, AccessKeyId=key_id, Status=status
        )
    return answer["ResponseMetadata"]["RequestId"]


def delete_key(aws: AwsClients, user: str, key_id: str) -> str:
    """Delete it, at one attempt; the request's id. Raises :class:`NotThere`."""
    with calling("iam:DeleteAccessKey"):
        answer = aws.iam(attempts=1).delete_access_key(UserName=user, AccessKeyId=key_id)
    return answer["ResponseMetadata"]["RequestId"]


def text_of(instant: datetime) -> str:
    """``2026-01-31T12:00:00Z``, as AWS's policies and our evidence write time."""
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""Keys that AWS itself holds: access keys of IAM users, and keys of KMS."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from stanch.responder.lifecycle.backends.aws_call import ask
from stanch.responder.lifecycle.inventory.discovery.item import Found, Item, Unseen
from stanch.responder.lifecycle.model.answer import NotGiven
from stanch.responder.lifecycle.model.kind import TARGETS, Kind
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import mask_id

_UNUSED = timedelta(days=45)  # CIS AWS Foundations 7.0, 2.11
_OWNERS = ("stanch:owner", "owner", "Owner", "team", "Team")


def access_keys(aws: AwsClients, now: datetime) -> Iterator[Item | Unseen]:
    """Every access key of every user, with its age and last use. Ids are masked."""
    for user in _pages("iam:ListUsers", aws.iam().list_users, "Users"):
        if isinstance(user, Unseen):
            yield user
            return
        name = user["UserName"]
        keys = ask("iam:ListAccessKeys", lambda: aws.iam().list_access_keys(UserName=name))  # noqa: B023  # called at once
        if isinstance(keys, NotGiven):
            yield Unseen(place=f"user {name}", why=keys.why)
            continue
        owner = _owner(aws, name)
        found = keys["AccessKeyMetadata"]
        active = sum(each["Status"] == "Active" for each in found)
        for each in found:
            yield _access_key(aws, dict(each), owner=owner, both=active > 1, now=now)


def encryption_keys(aws: AwsClients) -> Iterator[Item | Unseen]:
    """Every key of KMS that we are to rotate, and whether that is switched on."""
    kms = aws.kms()
    for key in _pages("kms:ListKeys", kms.list_keys, "Keys"):
        if isinstance(key, Unseen):
            yield key
            return
        identity = key["KeyId"]
        look = ask("kms:DescribeKey", partial(kms.describe_key, KeyId=identity))
        if isinstance(look, NotGiven):
            yield Unseen(place=f"kms key {identity}", why=look.why)
            continue
        about = look["KeyMetadata"]
        if about.get("KeyManager") != "CUSTOMER" or about["KeyState"] == "PendingDeletion":
            continue  # AWS rotates its own
        yield _encryption_key(kms, about)


def _access_key(
    aws: AwsClients, key: dict[str, Any], *, owner: str, both: bool, now: datetime
) -> Item:
    identity = key["AccessKeyId"]
    used = ask(
        "iam:GetAccessKeyLastUsed",
        lambda: aws.iam().get_access_key_last_used(AccessKeyId=identity),
    )
    problems = []
    age = now - key["CreateDate"].astimezone(UTC)
    if key["Status"] == "Active":
        within = TARGETS[Kind.API_KEY].within
        if age > within:
            problems.append(f"{age.days} days old, and {within.days} are the most")
        if isinstance(used, NotGiven):
            problems.append(f"its last use is not known: {used.why}")
        else:
            last = used["AccessKeyLastUsed"].get("LastUsedDate")
            since = (last or key["CreateDate"]).astimezone(UTC)
            if now - since > _UNUSED:
                problems.append(f"no use seen since {since:%Y-%m-%d}")
        if both:
            problems.append("its user has two active keys")
    return Item(
        kind=Found.ACCESS_KEY,
        name=mask_id(identity),
        place=f"user {key['UserName']} ({key['Status'].lower()}, {age.days}d)",
        store="iam",
        owner=owner,
        problem="; ".join(problems),
    )


def _owner(aws: AwsClients, user: str) -> str:
    tags = ask("iam:ListUserTags", lambda: aws.iam().list_user_tags(UserName=user))
    if isinstance(tags, NotGiven):
        return ""
    known = {each["Key"]: each["Value"] for each in tags["Tags"]}
    return next((known[key] for key in _OWNERS if key in known), "")


def _encryption_key(kms: Any, about: Any) -> Item:
    identity, spec = about["KeyId"], about.get("KeySpec", "SYMMETRIC_DEFAULT")
    problem = ""
    if spec == "SYMMETRIC_DEFAULT" and about.get("Origin", "AWS_KMS") == "AWS_KMS":
        rotation = ask(
            "kms:GetKeyRotationStatus", lambda: kms.get_key_rotation_status(KeyId=identity)
        )
        if isinstance(rotation, NotGiven):
            problem = f"whether it is rotated is not known: {rotation.why}"
        elif not rotation["KeyRotationEnabled"]:
            problem = "it is not rotated by itself"
        elif (days := rotation.get("RotationPeriodInDays", 365)) > _yearly():
            problem = f"it is rotated every {days} days, and {_yearly()} are the most"
    else:
        problem = f"AWS does not rotate a key like this ({spec}): rotate it by hand"
    return Item(
        kind=Found.ENCRYPTION_KEY,
        name=identity,
        place=about["Arn"],
        store="kms",
        problem=problem,
    )


def _yearly() -> int:
    return TARGETS[Kind.KEY_ENCRYPTION_KEY].within.days


def _pages(api: str, call: Callable[..., Any], items: str) -> Iterator[Any]:
    """The items of all pages; an Unseen ends them."""
    given: dict[str, str] = {}
    while True:
        page = ask(api, partial(call, **given))
        if isinstance(page, NotGiven):
            yield Unseen(place=api, why=page.why)
            return
        yield from page[items]
        if not page.get("IsTruncated", page.get("Truncated")):
            return
        given = {"Marker": page.get("NextMarker") or page["Marker"]}

"""What the user could do and how they could sign in, before anything is changed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, ClassVar

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.json import JsonObject, JsonValue, canonical
from stanch.responder.domain.step import Call, Effect, StepContext, StepSpec, Verdict, Verified
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling, mask_id, masked
from stanch.responder.providers.aws.adapter.identity import OwnedKey, keys_of

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

_READS = (
    "iam:ListAccessKeys",
    "iam:ListUserPolicies",
    "iam:ListAttachedUserPolicies",
    "iam:ListGroupsForUser",
    "iam:GetLoginProfile",
    "iam:ListMFADevices",
)


class SnapshotUser:
    """Record the user's keys, policies, groups and sign-in, and hash the record.

    Containment waits for this step, so it never waits itself: what cannot be read is named under
    ``unread`` instead of being tried again. Undo does not need it; each act keeps its own before.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.snapshot_user",
        title="Snapshot the user before any change",
        effect=Effect.READ,
        params=OwnedKey,
        permissions=(*_READS, "iam:GetUserPolicy"),
        outputs=("digest",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: OwnedKey, preview: str) -> tuple[Call, ...]:
        """One lookup per kind of access."""
        del preview
        return tuple(Call(api=api, arguments={"UserName": params.user}) for api in _READS)

    def look(self, params: OwnedKey, ctx: StepContext) -> Verdict:
        """Read all that can be read."""
        del ctx
        if not params.user:
            return Verified(
                evidence={"applies": "no: the user is not known"}, outputs={"digest": ""}
            )
        readers: dict[str, Callable[[str], JsonValue]] = {
            "access_keys": self._keys,
            "inline_policies": self._inline,
            "attached_policies": self._attached,
            "groups": self._groups,
            "console": self._console,
            "mfa_devices": self._mfa,
        }
        seen: dict[str, JsonValue] = {}
        unread: list[str] = []
        for name, reader in readers.items():
            try:
                seen[name] = reader(params.user)
            except (Retryable, StepFailed, NotThere) as error:
                unread.append(f"{name}: {error}")
        digest = hashlib.sha256(canonical(seen)).hexdigest()
        evidence: JsonObject = {"snapshot": seen, "sha256": digest, "unread": unread}
        return Verified(evidence=evidence, outputs={"digest": digest})

    def _iam(self) -> IAMClient:
        # One attempt: a pause between attempts would be a pause before containment.
        return self._aws.iam(attempts=1)

    def _keys(self, user: str) -> JsonValue:
        return [
            {"id": mask_id(key["AccessKeyId"]), "status": str(key["Status"])}
            for key in keys_of(self._aws, user, attempts=1)
        ]

    def _inline(self, user: str) -> JsonValue:
        iam = self._iam()
        found: dict[str, JsonValue] = {}
        with calling("iam:ListUserPolicies"):
            pages = iam.get_paginator("list_user_policies").paginate(UserName=user)
            names = [name for page in pages for name in page["PolicyNames"]]
        for name in names:
            with calling("iam:GetUserPolicy"):
                policy = iam.get_user_policy(UserName=user, PolicyName=name)
            # IAM bounds all inline policies of a user to 2,048 characters together.
            found[name] = masked(json.dumps(policy["PolicyDocument"], sort_keys=True))
        return found

    def _attached(self, user: str) -> JsonValue:
        with calling("iam:ListAttachedUserPolicies"):
            pages = self._iam().get_paginator("list_attached_user_policies")
            return [
                policy.get("PolicyArn", "")
                for page in pages.paginate(UserName=user)
                for policy in page["AttachedPolicies"]
            ]

    def _groups(self, user: str) -> JsonValue:
        with calling("iam:ListGroupsForUser"):
            pages = self._iam().get_paginator("list_groups_for_user").paginate(UserName=user)
            return [group["GroupName"] for page in pages for group in page["Groups"]]

    def _console(self, user: str) -> JsonValue:
        try:
            with calling("iam:GetLoginProfile"):
                self._iam().get_login_profile(UserName=user)
        except NotThere:
            return "no password"
        return "has a password"

    def _mfa(self, user: str) -> JsonValue:
        with calling("iam:ListMFADevices"):
            pages = self._iam().get_paginator("list_mfa_devices").paginate(UserName=user)
            return [device["SerialNumber"] for page in pages for device in page["MFADevices"]]

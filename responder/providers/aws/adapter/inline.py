"""Inline policies that deny sessions, on users and on roles alike: reading, writing, removing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from stanch.responder.domain.error import StepFailed
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import (
    LimitReached,
    NotThere,
    aws_time,
    calling,
)

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The policy of our name as it is (None: there is none), and AWS's clock when it was read."""

    policy: object | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Inline:
    """The inline policies of users, or of roles."""

    aws: AwsClients
    of: Literal["User", "Role"]

    def read(self, owner: str, name: str) -> Found:
        """The policy ``name`` on the owner; an owner that is gone has none."""
        try:
            answer = self._call("Get", owner, name)
        except NotThere as gone:
            return Found(policy=None, at=gone.at)
        found: object = answer["PolicyDocument"]
        policy = json.loads(found) if isinstance(found, str) else found
        return Found(policy=policy, at=aws_time(answer))

    def put(self, owner: str, name: str, policy: Document) -> str:
        """Write the policy; returns the request id. Raises :class:`NotThere`."""
        try:
            answer = self._call(
                "Put", owner, name, PolicyDocument=json.dumps(policy, separators=(",", ":"))
            )
        except LimitReached:
            whose = f"the {self.of.lower()} {owner}"
            raise StepFailed(
                f"the inline policies of {whose} have no room for {name}",
                remedy="move one of them to a managed policy, then `stanch respond` the incident "
                "again",
            ) from None
        return _request(answer)

    def remove(self, owner: str, name: str) -> str:
        """Take the policy off; returns the request id. Raises :class:`NotThere`."""
        return _request(self._call("Delete", owner, name))

    def _call(self, verb: str, owner: str, name: str, **more: str) -> Any:
        # Changes have one attempt: after a lost answer the engine looks before it acts again.
        iam: Any = self.aws.iam(attempts=3 if verb == "Get" else 1)
        method = getattr(iam, f"{verb}_{self.of}_policy".lower())
        with calling(f"iam:{verb}{self.of}Policy"):
            return method(**{f"{self.of}Name": owner, "PolicyName": name}, **more)


def named(prefix: str, key_id: str) -> str:
    """One policy for each leaked key: two of them never undo each other's deny."""
    return f"{prefix}-{hashlib.sha256(key_id.encode()).hexdigest()[:8]}"


def deny(sid: str, condition: Document) -> dict[str, Any]:
    """The policy that denies everything where the condition holds."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": sid,
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": dict(condition),
            }
        ],
    }


def condition_of(policy: object) -> Document:
    """The condition of a policy of ours; empty for any other shape."""
    try:
        found = policy["Statement"][0]["Condition"]  # type: ignore[index]  # any other shape is not ours
    except (KeyError, IndexError, TypeError):
        return {}
    return found if isinstance(found, Mapping) else {}


def _request(answer: Any) -> str:
    return str(answer["ResponseMetadata"]["RequestId"])

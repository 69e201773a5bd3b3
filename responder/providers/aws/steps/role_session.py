"""Deny the role sessions that were born from the key, each by itself, and take that back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

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
from stanch.responder.providers.aws.adapter.error import NotThere, calling
from stanch.responder.providers.aws.adapter.identity import leaked_id
from stanch.responder.providers.aws.adapter.inline import Inline, condition_of, deny, named
from stanch.responder.providers.aws.adapter.trail import Birth
from stanch.responder.providers.aws.steps.lineage import Heir, account_of, heirs_of, role_name
from stanch.responder.providers.patience import SOON

POLICY = "StanchDenySessions"
_SERVICE_LINKED = ":role/aws-service-role/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """``born``: what the trail knows of credentials born from the user's key."""

    user: str = ""  # runs of an older runbook do not say
    born: object = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionsBefore:
    """What undo knows: the sessions denied in each role before us, and those that we denied."""

    user: str = ""
    before: Mapping[str, object] = field(default_factory=dict)
    evidence: Mapping[str, object] = field(default_factory=dict)


def policy_name(key_id: str) -> str:
    """The name of the deny for what was born from this key."""
    return named(POLICY, key_id)


def document(sessions: frozenset[str]) -> dict[str, Any]:
    """Denies everything to exactly these sessions; others of the role keep working.

    ``aws:userid`` of a role session is the role's id and the session's name:
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    """
    return deny(POLICY, {"StringEquals": {"aws:userid": sorted(sessions)}})


def denied_in(aws: AwsClients, role: str, name: str) -> frozenset[str]:
    """The sessions that our policy denies in the role; empty when it is not there, or not ours."""
    found = Inline(aws, "Role").read(role, name).policy
    equal = condition_of(found).get("StringEquals")
    listed = equal.get("aws:userid") if isinstance(equal, Mapping) else None
    if not isinstance(listed, str | list):
        return frozenset()
    sessions = frozenset([listed] if isinstance(listed, str) else map(str, listed))
    return sessions if found == document(sessions) else frozenset()


def within_reach(aws: AwsClients, heirs: tuple[Heir, ...]) -> dict[str, frozenset[str]]:
    """Sessions to deny by the name of their role: those of our account that AWS lets us change.

    Never our own session: who denies it can deny nothing any more, nor take that back.
    """
    found: dict[str, set[str]] = {}
    for heir in heirs:
        reachable = account_of(heir.owner) == aws.account() and _SERVICE_LINKED not in heir.owner
        named = heir.name.count(":") == 1 and heir.name != aws.session_name()
        if heir.birth is Birth.ROLE_SESSION and named and reachable:
            found.setdefault(role_name(heir.owner), set()).add(heir.name)
    return {role: frozenset(names) for role, names in found.items()}


class DenyRoleSessions:
    """Put a deny on each role that the key assumed, for exactly the sessions born from the key."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.deny_role_sessions",
        shares="user",
        title="Deny the role sessions born from the key",
        effect=Effect.REVERSIBLE,
        params=Sessions,
        permissions=("iam:PutRolePolicy", "iam:GetRolePolicy", "sts:GetCallerIdentity"),
        parts=("access_key_id",),
        undo="aws.iam.allow_role_sessions",
        outputs=("roles",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Sessions, preview: str) -> tuple[Call, ...]:
        """One change for each role; the roles are known once the trail was read."""
        del preview
        heirs = [h for h in heirs_of(params.born) if h.birth is Birth.ROLE_SESSION]
        roles = {role_name(heir.owner) for heir in heirs} or {"each role that the key assumed"}
        return tuple(
            Call(
                api="iam:PutRolePolicy",
                arguments={
                    "RoleName": role,
                    "PolicyName": f"{POLICY}-…",
                    "PolicyDocument": "Deny * to the sessions born from the key",
                },
            )
            for role in sorted(roles)
        )

    def observe(self, params: Sessions, ctx: StepContext) -> Present | Absent:
        """Present when every session within reach is denied."""
        name = policy_name(leaked_id(ctx))
        wanted = within_reach(self._aws, heirs_of(params.born))
        before = {role: denied_in(self._aws, role, name) for role in sorted(wanted)}
        if all(wanted[role] <= before[role] for role in wanted):
            return Present(evidence={"roles": sorted(wanted)}, ours=True)  # by name and content
        return Absent(before={role: sorted(names) for role, names in before.items()})

    def act(self, params: Sessions, ctx: StepContext) -> JsonObject:
        """Put a policy on each role. A role that is gone took its sessions with it."""
        name = policy_name(leaked_id(ctx))
        requests: list[str] = []
        for role, sessions in within_reach(self._aws, heirs_of(params.born)).items():
            policy = document(sessions | denied_in(self._aws, role, name))
            try:
                requests.append(Inline(self._aws, "Role").put(role, name, policy))
            except NotThere:
                requests.append(f"{role} is gone")
        return {"request_ids": list(requests)}

    def verify(self, params: Sessions, ctx: StepContext) -> Verdict:
        """IAM shows the denies."""
        name = policy_name(leaked_id(ctx))
        wanted = within_reach(self._aws, heirs_of(params.born))
        for role, sessions in wanted.items():
            if not sessions <= denied_in(self._aws, role, name) and self._exists(role):
                return NotYet(why=f"IAM does not show {name} on the role {role} yet", after=SOON)
        roles = ", ".join(sorted(wanted))
        return Verified(evidence={"roles denied": roles or "none"}, outputs={"roles": roles})

    def _exists(self, role: str) -> bool:
        try:
            with calling("iam:GetRole"):
                self._aws.iam().get_role(RoleName=role)
        except NotThere:
            return False
        return True


class AllowRoleSessions:
    """Put back on each role what was denied there before us."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.iam.allow_role_sessions",
        shares="user",
        title="Allow the role sessions again",
        effect=Effect.REVERSIBLE,
        params=SessionsBefore,
        permissions=("iam:DeleteRolePolicy", "iam:PutRolePolicy", "iam:GetRolePolicy"),
        parts=("access_key_id",),
        undo="aws.iam.deny_role_sessions",
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: SessionsBefore, preview: str) -> tuple[Call, ...]:
        """One change for each role."""
        del preview
        return tuple(
            Call(
                api="iam:PutRolePolicy" if before else "iam:DeleteRolePolicy",
                arguments={"RoleName": role, "PolicyName": f"{POLICY}-…"},
            )
            for role, before in (_before(params) or {"each role": frozenset()}).items()
        )

    def observe(self, params: SessionsBefore, ctx: StepContext) -> Present | Absent:
        """Present when every role is as before us."""
        name = policy_name(leaked_id(ctx))
        now = {role: denied_in(self._aws, role, name) for role in _before(params)}
        if now == _before(params):
            return Present(evidence={"policies": "as before"})
        return Absent(before={role: sorted(names) for role, names in now.items()})

    def act(self, params: SessionsBefore, ctx: StepContext) -> JsonObject:
        """Restore each."""
        name = policy_name(leaked_id(ctx))
        policies = Inline(self._aws, "Role")
        for role, sessions in _before(params).items():
            try:
                if sessions:
                    policies.put(role, name, document(sessions))
                else:
                    policies.remove(role, name)
            except NotThere:
                continue  # the role or the policy is gone: nothing is denied
        return {"roles": sorted(_before(params))}

    def verify(self, params: SessionsBefore, ctx: StepContext) -> Verdict:
        """IAM shows what was there before."""
        name = policy_name(leaked_id(ctx))
        for role, sessions in _before(params).items():
            if denied_in(self._aws, role, name) != sessions:
                return NotYet(why=f"IAM still shows our {name} on the role {role}", after=SOON)
        return Verified(evidence={"policies": "as before"})


def _before(params: SessionsBefore) -> dict[str, frozenset[str]]:
    found = {}
    for role, names in params.before.items():
        if isinstance(names, list | tuple):
            found[role] = frozenset(map(str, names))
    return found

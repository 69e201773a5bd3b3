"""The proofs that move an incident on: contained, and dead for good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from stanch.responder.domain.step import (
    Call,
    Effect,
    NotYet,
    Refuted,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.attempt import Answer, try_identity
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.identity import (
    ABSENT,
    agent,
    leaked_id,
    sealed_pair,
    status_of,
)
from stanch.responder.providers.aws.adapter.secret import holds_pair, read_current
from stanch.responder.providers.aws.steps.evidence import see_key, see_session
from stanch.responder.providers.aws.steps.replacement import SEALED as REPLACEMENT
from stanch.responder.providers.patience import SOON

_LIVE_READS = ("iam:ListAccessKeys", "iam:GetUserPolicy", "iam:GetUser")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """Whose key, and how the probe session fared before (``worked``: yes or no)."""

    user: str
    witness: str = ""
    worked: str = "no"


class ProveRefused:
    """Poll until the key is refused and a session minted from it before is refused too."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.proof.refused",
        title="Prove that key and sessions are refused",
        effect=Effect.READ,
        params=Refused,
        permissions=(*_LIVE_READS, "iam:SimulatePrincipalPolicy"),
        parts=("access_key_id", "secret_access_key"),
        outputs=("key", "session"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Refused, preview: str) -> tuple[Call, ...]:
        """The attempts that must fail."""
        session = params.witness or "iam:SimulatePrincipalPolicy"
        return (
            Call(api="sts:GetCallerIdentity", arguments={"as": preview}),
            Call(api=session, arguments={"as": "a session minted before"}),
        )

    def look(self, params: Refused, ctx: StepContext) -> Verdict:
        """Both must be dead in the same look."""
        key = see_key(self._aws, ctx, params.user)
        if not key.dead:
            return NotYet(why=f"{ctx.preview} still works: {key.detail}", after=SOON)
        session = see_session(
            self._aws, ctx, params.user, witness=params.witness, worked=params.worked == "yes"
        )
        if not session.dead:
            return NotYet(why=f"older sessions still work: {session.detail}", after=SOON)
        return Verified(
            evidence={**key.evidence("key"), **session.evidence("session")},
            outputs={"key": key.method, "session": session.method},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    """As :class:`Refused`, with the consumer's secret and the version that must be current."""

    user: str
    secret: str
    version: str
    witness: str = ""
    worked: str = "no"


class ProveDead:
    """The old key is gone and refused, its sessions too, and the consumer lives on the new key."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.proof.dead",
        title="Prove the old key dead and the new one alive",
        effect=Effect.READ,
        params=Dead,
        permissions=(
            *_LIVE_READS,
            "iam:SimulatePrincipalPolicy",
            "secretsmanager:GetSecretValue",
        ),
        parts=("access_key_id", "secret_access_key"),
        outputs=("key", "session", "replacement", "consumer"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Dead, preview: str) -> tuple[Call, ...]:
        """The attempts that must fail, and those that must not."""
        session = params.witness or "iam:SimulatePrincipalPolicy"
        return (
            Call(api="sts:GetCallerIdentity", arguments={"as": preview}),
            Call(api=session, arguments={"as": "a session minted before"}),
            Call(api="iam:ListAccessKeys", arguments={"UserName": params.user}),
            Call(api="sts:GetCallerIdentity", arguments={"as": "the replacement key"}),
            Call(api="secretsmanager:GetSecretValue", arguments={"SecretId": params.secret}),
        )

    def look(self, params: Dead, ctx: StepContext) -> Verdict:
        """All four claims in one look."""
        if status_of(self._aws, params.user, leaked_id(ctx)) != ABSENT:
            return NotYet(why=f"IAM still lists {ctx.preview}", after=SOON)
        key = see_key(self._aws, ctx, params.user)
        if not key.dead:
            return NotYet(why=f"{ctx.preview} still works: {key.detail}", after=SOON)
        session = see_session(
            self._aws, ctx, params.user, witness=params.witness, worked=params.worked == "yes"
        )
        if not session.dead:
            return NotYet(why=f"older sessions still work: {session.detail}", after=SOON)
        pair = sealed_pair(ctx, REPLACEMENT)
        tried = try_identity(self._aws, pair, agent=agent(ctx))
        if tried.answer is not Answer.ACCEPTED:
            return NotYet(why=f"the replacement key does not work yet: {tried}", after=SOON)
        current = read_current(self._aws, params.secret)
        if current.version != params.version or not holds_pair(current.text, pair):
            return Refuted(
                why=f"{params.secret} does not hold the replacement key as its current value",
                remedy="somebody changed it since; see its versions in Secrets Manager",
            )
        return Verified(
            evidence={
                **key.evidence("key"),
                **session.evidence("session"),
                "listed": ABSENT,
                "replacement": str(tried.answer),
                "consumer": f"{params.secret} holds the replacement (version {current.version})",
            },
            outputs={
                "key": key.method,
                "session": session.method,
                "replacement": "works",
                "consumer": "holds the replacement",
            },
        )

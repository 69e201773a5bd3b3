"""Give the consumer the new key: find its secret, write a version, promote it, and take it back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

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
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling
from stanch.responder.providers.aws.adapter.identity import leaked_id, sealed_pair
from stanch.responder.providers.aws.adapter.secret import (
    holds_pair,
    move_stage,
    read_current,
    read_version,
    rewritten,
    stage_call,
    stages_of,
    version_at,
)
from stanch.responder.providers.aws.steps.owner import SECRET_TAG
from stanch.responder.providers.aws.steps.replacement import SEALED
from stanch.responder.providers.patience import SOON

CURRENT = "AWSCURRENT"
PENDING = "AWSPENDING"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """The user, and the name or ARN of the secret that consumers read (empty: unknown).

    ``proven`` is what :class:`ProvePossession` found; without its word nothing is.
    """

    user: str
    secret: str
    proven: str = "no"


class FindConsumer:
    """Find, before a new key is made, the secret that holds the old one.

    Without one there is nobody to give a new key to: the steps that replace say so and do nothing,
    and the question about deleting says it too. Most leaked keys are of that kind.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.secretsmanager.find_consumer",
        title="Find the secret that consumers read",
        effect=Effect.READ,
        params=Candidate,
        permissions=("secretsmanager:GetSecretValue",),
        parts=("access_key_id", "secret_access_key"),
        outputs=("secret", "version"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Candidate, preview: str) -> tuple[Call, ...]:
        """One lookup."""
        del preview
        return (Call(api="secretsmanager:GetSecretValue", arguments={"SecretId": params.secret}),)

    def look(self, params: Candidate, ctx: StepContext) -> Verdict:
        """The current value must hold the leaked pair."""
        if not params.secret:
            hint = f"the tag {SECRET_TAG} on the user would name one"
            return _nobody(f"no secret is known for {params.user or 'the key'}: {hint}")
        try:
            current = read_current(self._aws, params.secret)
        except NotThere:
            return _nobody(f"there is no secret {params.secret}")
        if leaked_id(ctx) not in current.text:
            return _nobody(f"{params.secret} does not hold {ctx.preview}")
        if not self._holds(params, current.text, ctx):
            return _nobody(
                f"{params.secret} holds the id {ctx.preview}, but not provably its secret key"
            )
        found = {"secret": params.secret, "version": current.version}
        return Verified(evidence=found, outputs=found)

    def _holds(self, params: Candidate, text: str, ctx: StepContext) -> bool:
        if params.proven != "compare" or not ctx.has("secret_access_key"):
            return params.proven == "yes"
        secret = ctx.open("secret_access_key").reveal().decode("utf-8", "replace")
        return secret in text.replace("\\/", "/")


def _nobody(why: str) -> Verified:
    return Verified(
        evidence={"consumer": "none", "why": why}, outputs={"secret": "", "version": ""}
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Secret:
    """The consumer's secret."""

    secret: str


class PutVersion:
    """Write the replacement as a new AWSPENDING version; consumers do not see it yet.

    The version's id is the step's idempotency key, so a repetition finds its own version.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.secretsmanager.put_version",
        opens=("replacement",),
        title="Write the new key as a pending version",
        effect=Effect.REVERSIBLE,
        params=Secret,
        permissions=(
            "secretsmanager:PutSecretValue",
            "secretsmanager:GetSecretValue",
            "secretsmanager:DescribeSecret",
        ),
        parts=("access_key_id", "secret_access_key"),
        undo="aws.secretsmanager.withdraw_version",
        outputs=("version", "previous"),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Secret, preview: str) -> tuple[Call, ...]:
        """One write."""
        del preview
        return (
            Call(
                api="secretsmanager:PutSecretValue",
                arguments={
                    "SecretId": params.secret,
                    "SecretString": "the current value with the key pair replaced",
                    "VersionStages": PENDING,
                },
            ),
        )

    def observe(self, params: Secret, ctx: StepContext) -> Present | Absent:
        """Present when our version carries a stage, or when there is nothing to write."""
        idle = _nothing_to_write(params, ctx)
        if idle:
            return Present(evidence={"applies": f"no: {idle}"})
        if self._holds_already(params, ctx):
            return Present(evidence={"applies": "no: the current value holds the replacement"})
        stages = stages_of(self._aws, params.secret)
        ours = stages.get(ctx.idempotency_key)
        if ours:
            seen: JsonObject = {"version": ctx.idempotency_key, "stages": list(ours)}
            return Present(evidence=seen, ours=True)
        return Absent(before={"current": version_at(stages, CURRENT)})

    def act(self, params: Secret, ctx: StepContext) -> JsonObject:
        """Write it, keeping everything in the value but the key pair."""
        current = read_current(self._aws, params.secret)
        known = ctx.has("secret_access_key")
        text = rewritten(
            current.text,
            old_id=leaked_id(ctx),
            old_secret=ctx.open("secret_access_key").reveal().decode() if known else None,
            new=sealed_pair(ctx, SEALED),
        )
        with calling("secretsmanager:PutSecretValue"):
            answer = self._aws.secretsmanager(attempts=1).put_secret_value(
                SecretId=params.secret,
                ClientRequestToken=ctx.idempotency_key,
                SecretString=text,
                VersionStages=[PENDING],
            )
        return {
            "version": answer["VersionId"],
            "request_id": answer["ResponseMetadata"]["RequestId"],
        }

    def verify(self, params: Secret, ctx: StepContext) -> Verdict:
        """The version, read by its id, holds the replacement."""
        if _nothing_to_write(params, ctx):
            return Verified(evidence={}, outputs={"version": "", "previous": ""})
        if self._holds_already(params, ctx):
            current = read_current(self._aws, params.secret).version
            return Verified(evidence={}, outputs={"version": current, "previous": current})
        try:
            found = read_version(self._aws, params.secret, ctx.idempotency_key)
        except NotThere:
            return NotYet(why=f"{params.secret} does not show our version yet", after=SOON)
        if not holds_pair(found.text, sealed_pair(ctx, SEALED)):
            return Refuted(
                why=f"version {found.version} of {params.secret} does not hold the replacement",
                remedy="somebody wrote it; see the secret's versions",
            )
        outputs = {
            "version": found.version,
            "previous": version_at(stages_of(self._aws, params.secret), CURRENT) or "",
        }
        return Verified(evidence={**outputs, "value": "holds the replacement"}, outputs=outputs)

    def _holds_already(self, params: Secret, ctx: StepContext) -> bool:
        """An earlier step of this run promoted the replacement."""
        text = read_current(self._aws, params.secret).text
        return holds_pair(text, sealed_pair(ctx, SEALED))


def _nothing_to_write(params: Secret, ctx: StepContext) -> str:
    if not params.secret:
        return "no consumer is known"
    return "" if ctx.sealed(SEALED) is not None else "there is no replacement key"


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretUndo:
    """What undo knows. ``evidence`` holds the version even when the step never got further."""

    secret: str
    evidence: Mapping[str, object] = field(default_factory=dict)


class WithdrawVersion:
    """Take the pending stage off our version; Secrets Manager then drops it."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.secretsmanager.withdraw_version",
        opens=("replacement",),
        title="Withdraw the pending version",
        effect=Effect.FINAL,
        params=SecretUndo,
        permissions=(
            "secretsmanager:UpdateSecretVersionStage",
            "secretsmanager:GetSecretValue",
            "secretsmanager:DescribeSecret",
        ),
        outputs=("version",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: SecretUndo, preview: str) -> tuple[Call, ...]:
        """One change of stage."""
        del preview
        return (stage_call(params.secret, PENDING, removed="our version"),)

    def observe(self, params: SecretUndo, ctx: StepContext) -> Present | Absent:
        """Present when AWSPENDING is not on our version."""
        stages = stages_of(self._aws, params.secret)
        version = self._ours(params, stages, ctx)
        if version is None:
            return Present(evidence={"pending": "nothing of ours"})
        if CURRENT in stages[version]:
            raise StepFailed(
                f"our version is the current value of {params.secret}; it was not withdrawn",
                remedy="restore the previous version first",
            )
        return Absent(before={"version": version})

    def act(self, params: SecretUndo, ctx: StepContext) -> JsonObject:
        """Remove the stage."""
        version = str(ctx.before["version"])
        moved = move_stage(self._aws, params.secret, PENDING, removed=version)
        return {"version": version, "request_id": moved}

    def verify(self, params: SecretUndo, ctx: StepContext) -> Verdict:
        """AWSPENDING is off our version."""
        stages = stages_of(self._aws, params.secret)
        if self._ours(params, stages, ctx) is not None:
            return NotYet(why=f"{params.secret} still shows our pending version", after=SOON)
        version = str(ctx.before.get("version", ""))
        return Verified(evidence={"pending": "nothing of ours"}, outputs={"version": version})

    def _ours(
        self, params: SecretUndo, stages: dict[str, list[str]], ctx: StepContext
    ) -> str | None:
        """Our version while it is pending; recognised by what it holds when its id was lost."""
        pending = version_at(stages, PENDING)
        if pending is None or pending == params.evidence.get("version"):
            return pending
        if params.evidence.get("version") or ctx.sealed(SEALED) is None:
            return None
        text = read_version(self._aws, params.secret, pending).text
        return pending if holds_pair(text, sealed_pair(ctx, SEALED)) else None

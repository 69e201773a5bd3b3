"""Make the new version current for all consumers, and restore the previous one."""

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
from stanch.responder.providers.aws.adapter.identity import sealed_pair
from stanch.responder.providers.aws.adapter.secret import (
    holds_pair,
    move_stage,
    read_current,
    stage_call,
    stages_of,
    version_at,
)
from stanch.responder.providers.aws.steps.consumer import CURRENT
from stanch.responder.providers.aws.steps.replacement import SEALED
from stanch.responder.providers.patience import SOON

_PERMISSIONS = (
    "secretsmanager:UpdateSecretVersionStage",
    "secretsmanager:DescribeSecret",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Promotion:
    """The secret, our version, and the version that was current when ours was written."""

    secret: str
    version: str
    previous: str


class PromoteVersion:
    """Move AWSCURRENT to our version, if nobody moved it meanwhile."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.secretsmanager.promote_version",
        opens=("replacement",),
        title="Promote the new version",
        effect=Effect.REVERSIBLE,
        params=Promotion,
        permissions=(*_PERMISSIONS, "secretsmanager:GetSecretValue"),
        undo="aws.secretsmanager.restore_version",
        outputs=("version",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Promotion, preview: str) -> tuple[Call, ...]:
        """One change of stage."""
        del preview
        return (stage_call(params.secret, CURRENT, to=params.version, removed=params.previous),)

    def observe(self, params: Promotion, ctx: StepContext) -> Present | Absent:
        """Present when our version is current, or when there is none."""
        del ctx
        if not params.version:
            return Present(evidence={"applies": "no: there is no new version"})
        current = version_at(stages_of(self._aws, params.secret), CURRENT)
        if current == params.version:
            return Present(evidence={"current": current})
        if current != params.previous:
            raise StepFailed(
                f"{params.secret} got another current version while we worked; not touched",
                remedy="see who wrote it; if it holds the old key, `stanch respond` again",
            )
        return Absent(before={"current": current})

    def act(self, params: Promotion, ctx: StepContext) -> JsonObject:
        """Move the stage. One call, so that a crash leaves no half of it.

        AWSPENDING may stay where AWSCURRENT is: rotation takes that for finished.
        https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_RotateSecret.html
        """
        del ctx
        aws, secret = self._aws, params.secret
        moved = move_stage(aws, secret, CURRENT, to=params.version, removed=params.previous)
        return {"request_id": moved}

    def verify(self, params: Promotion, ctx: StepContext) -> Verdict:
        """What a consumer reads now is our version and holds the replacement."""
        if not params.version:
            return Verified(evidence={}, outputs={"version": ""})
        current = read_current(self._aws, params.secret)
        if current.version != params.version:
            return NotYet(why=f"{params.secret} still gives the old version", after=SOON)
        if not holds_pair(current.text, sealed_pair(ctx, SEALED)):
            return Refuted(
                why=f"the current value of {params.secret} does not hold the replacement",
                remedy="see the secret's versions; undo restores the previous one",
            )
        return Verified(
            evidence={"current": current.version, "value": "holds the replacement"},
            outputs={"version": current.version},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PromotionUndo:
    """What undo knows: the version that we promoted, and what was current before."""

    secret: str
    version: str
    previous: str
    before: Mapping[str, object] = field(default_factory=dict)


class RestoreVersion:
    """Move AWSCURRENT back, if it is still on our version."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.secretsmanager.restore_version",
        title="Restore the previous version",
        effect=Effect.REVERSIBLE,
        params=PromotionUndo,
        permissions=_PERMISSIONS,
        undo="aws.secretsmanager.promote_version",
        outputs=("version",),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: PromotionUndo, preview: str) -> tuple[Call, ...]:
        """One change of stage."""
        del preview
        return (stage_call(params.secret, CURRENT, to=params.previous, removed=params.version),)

    def observe(self, params: PromotionUndo, ctx: StepContext) -> Present | Absent:
        """Present when the version from before is current."""
        del ctx
        stages = stages_of(self._aws, params.secret)
        current = version_at(stages, CURRENT)
        if current == _previous(params):
            return Present(evidence={"current": current})
        if current != params.version:
            raise StepFailed(
                f"{params.secret} has got a newer version since; it was not touched",
                remedy="see who wrote it, and move AWSCURRENT by hand if that is wanted",
            )
        if _previous(params) not in stages:
            raise StepFailed(
                f"{params.secret} no longer has the version from before; it was not touched",
                remedy="write the old value as a new version by hand",
            )
        return Absent(before={"current": current})

    def act(self, params: PromotionUndo, ctx: StepContext) -> JsonObject:
        """Move the stage back."""
        del ctx
        aws, secret = self._aws, params.secret
        moved = move_stage(aws, secret, CURRENT, to=_previous(params), removed=params.version)
        return {"request_id": moved}

    def verify(self, params: PromotionUndo, ctx: StepContext) -> Verdict:
        """The version from before is current."""
        del ctx
        current = version_at(stages_of(self._aws, params.secret), CURRENT)
        if current != _previous(params):
            return NotYet(why=f"{params.secret} still gives our version", after=SOON)
        return Verified(evidence={"current": current}, outputs={"version": current})


def _previous(params: PromotionUndo) -> str:
    return str(params.before.get("current") or params.previous)

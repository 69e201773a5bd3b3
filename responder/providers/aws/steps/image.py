"""Take one image of Amazon ECR out of reach, and bring it back: no other tag is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar

from stanch.responder.domain.copy import Reach, outcome
from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import (
    BY,
    SOMEBODY,
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
from stanch.responder.providers.aws.adapter.image import (
    ACTIVATING,
    ACTIVE,
    ARCHIVED,
    NOT_THERE,
    Image,
    image_of,
    look,
    store_as,
)

_SOON = timedelta(seconds=1)
_RESTORING = timedelta(minutes=30)  # how long bringing an image back may take before we worry
_PERMISSIONS = ("ecr:DescribeImages", "ecr:UpdateImageStorageClass")
_ARCHIVING = (
    "whoever pulls it gets 404, a service that restarts with it too; it is paid for 90 days at "
    "least; what was pulled already stays where it is"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCopy:
    """``copy``: the image as `stanch scan` takes it, by its digest."""

    copy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageCopyUndo:
    """What undo knows: how the image was before us, and whose act it was."""

    copy: str
    before: Mapping[str, object] = field(default_factory=dict)
    evidence: Mapping[str, object] = field(default_factory=dict)


class ArchiveImage:
    """Archive the image: pulls are refused until it is brought back."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.ecr.archive_image",
        title="Archive the image",
        effect=Effect.REVERSIBLE,
        params=ImageCopy,
        permissions=_PERMISSIONS,
        undo="aws.ecr.restore_image",
        outputs=("copy", "state", "how"),
        aside=True,
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: ImageCopy, preview: str) -> tuple[Call, ...]:
        """One change, and what comes of it."""
        del preview
        return (_call(params.copy, "ARCHIVE"), _note(_ARCHIVING))

    def observe(self, params: ImageCopy, ctx: StepContext) -> Present | Absent:
        """Present when it cannot be pulled. Raises where it is not ours."""
        del ctx
        seen = look(self._aws, _ours(self._aws, params.copy))
        if seen.status in {ARCHIVED, NOT_THERE}:
            return Present(evidence=seen.evidence)
        if seen.status == ACTIVATING:
            raise Retryable("somebody is bringing the image back", after=timedelta(seconds=30))
        return Absent(before=seen.evidence)

    def act(self, params: ImageCopy, ctx: StepContext) -> JsonObject:
        """Archive it."""
        del ctx
        return store_as(self._aws, _ours(self._aws, params.copy), "ARCHIVE")

    def verify(self, params: ImageCopy, ctx: StepContext) -> Verdict:
        """ECR says that it is archived; that is what refuses pulls."""
        del ctx
        image = _ours(self._aws, params.copy)
        seen = look(self._aws, image)
        if seen.status == NOT_THERE:
            found = outcome(params.copy, Reach.GONE, "it is not in the registry")
        elif seen.status == ARCHIVED:
            how = f"ECR says ARCHIVED; to bring it back alone: {image.command('STANDARD')}"
            found = outcome(params.copy, Reach.AWAY, how)
        else:
            return NotYet(why=f"ECR still says {seen.status}", after=_SOON)
        return Verified(evidence=seen.evidence, outputs=found)


class RestoreImage:
    """Bring the image back, if it was there before us and we took it away."""

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.ecr.restore_image",
        title="Bring the image back",
        effect=Effect.REVERSIBLE,
        params=ImageCopyUndo,
        permissions=_PERMISSIONS,
        undo="aws.ecr.archive_image",
        outputs=("copy", "state", "how"),
        aside=True,
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: ImageCopyUndo, preview: str) -> tuple[Call, ...]:
        """One change."""
        del preview
        return (_call(params.copy, "STANDARD"),)

    def observe(self, params: ImageCopyUndo, ctx: StepContext) -> Present | Absent:
        """Present when it can be pulled, is on its way, or could not be pulled before us."""
        del ctx
        if params.before.get("image") != ACTIVE:
            return Present(evidence={"image": "not active before us: left as it is"})
        image = _ours(self._aws, params.copy)
        seen = look(self._aws, image)
        if seen.status == NOT_THERE:
            raise StepFailed(
                f"the image {image.digest[:19]} is not in {image.repository} any more",
                remedy="push it again, without the leaked value",
            )
        if seen.status != ARCHIVED:
            return Present(evidence=seen.evidence)
        if params.evidence.get(BY) == SOMEBODY:
            raise StepFailed(
                f"the answer to our call was lost, so who archived {image.repository} is not known",
                remedy=f"if it was nobody else: {image.command('STANDARD')}",
            )
        return Absent(before=seen.evidence)

    def act(self, params: ImageCopyUndo, ctx: StepContext) -> JsonObject:
        """Bring it back."""
        del ctx
        return store_as(self._aws, _ours(self._aws, params.copy), "STANDARD")

    def verify(self, params: ImageCopyUndo, ctx: StepContext) -> Verdict:
        """ECR says that it is active; on the way there it says ACTIVATING."""
        if params.before.get("image") != ACTIVE:
            how = "as before us"
            return Verified(evidence={"image": how}, outputs=outcome(params.copy, Reach.AWAY, how))
        seen = look(self._aws, _ours(self._aws, params.copy))
        if seen.status != ACTIVE:
            until = ctx.started_at + _RESTORING if seen.status == ACTIVATING else None
            return NotYet(why=f"ECR says {seen.status}", after=_SOON, until=until)
        found = outcome(params.copy, Reach.OPEN, "brought back by an undo")
        return Verified(evidence=seen.evidence, outputs=found)


def _ours(aws: AwsClients, target: str) -> Image:
    image = image_of(target)
    if image is None:
        raise StepFailed(
            f"{target} is no image of Amazon ECR", remedy="take it out of reach in its registry"
        )
    if not aws.is_ours(image.account):
        raise StepFailed(
            f"the registry {image.account} is not among our accounts",
            remedy="add it to [aws] accounts if it is ours; else tell its owner",
        )
    return image


def _call(target: str, storage: str) -> Call:
    image = image_of(target)
    named = {"image": target} if image is None else {
        "registryId": image.account,
        "repositoryName": image.repository,
        "imageId": image.digest,
        "region": image.region,
    }  # fmt: skip
    arguments = {**named, "targetStorageClass": storage}
    return Call(api="ecr:UpdateImageStorageClass", arguments=arguments)


def _note(words: str) -> Call:
    return Call(api="note", arguments={}, words=words)

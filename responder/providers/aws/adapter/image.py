"""One image in Amazon ECR: whether it can be pulled, and switching that.

An archived image answers pulls with 404 and can be brought back as it was:
https://docs.aws.amazon.com/AmazonECR/latest/userguide/archive-image.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.json import JsonObject
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import calling, code_of

ACTIVE, ARCHIVED, ACTIVATING = "ACTIVE", "ARCHIVED", "ACTIVATING"
NOT_THERE = "not in the registry"
_TARGET = re.compile(
    r"image:(?P<account>\d{12})\.dkr[.-]ecr(?:-fips)?\.(?P<region>[a-z0-9-]+)"
    r"\.(?:amazonaws\.com(?:\.cn)?|on\.aws)/(?P<repository>[a-z0-9._/-]{2,256})"
    r"@(?P<digest>sha256:[0-9a-f]{64})"
)
_MISSING = frozenset({"ImageNotFoundException", "RepositoryNotFoundException"})
_UNSUPPORTED = "ImageStorageClassUpdateNotSupportedException"


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """A manifest in a repository of ours or of somebody else's."""

    account: str
    region: str
    repository: str
    digest: str

    @property
    def arguments(self) -> dict[str, Any]:
        """What every call names it by."""
        return {"registryId": self.account, "repositoryName": self.repository}

    def command(self, storage: str) -> str:
        """What a person types to do the same."""
        return (
            f"aws ecr update-image-storage-class --region {self.region} --registry-id "
            f"{self.account} --repository-name {self.repository} --image-id "
            f"imageDigest={self.digest} --target-storage-class {storage}"
        )


def image_of(target: str) -> Image | None:
    """The image that a copy's target names; None when it is not in Amazon ECR."""
    found = _TARGET.fullmatch(target)
    return Image(**found.groupdict()) if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What ECR says of an image."""

    status: str
    tags: tuple[str, ...] = ()
    pulled_at: str = ""

    @property
    def evidence(self) -> JsonObject:
        """For the record."""
        return {"image": self.status, "tags": list(self.tags), "last_pull": self.pulled_at}


def look(aws: AwsClients, image: Image) -> Sight:
    """Its status, whatever that is: without a filter ECR shows active images alone."""
    with calling("ecr:DescribeImages"):
        return _sight(aws, image)


def _sight(aws: AwsClients, image: Image) -> Sight:
    try:
        found = aws.ecr(image.region).describe_images(
            **image.arguments,
            imageIds=[{"imageDigest": image.digest}],
            filter={"imageStatus": "ANY"},
        )["imageDetails"]
    except ClientError as error:
        if code_of(error) in _MISSING:
            return Sight(status=NOT_THERE)
        raise
    if not found:
        return Sight(status=NOT_THERE)
    pulled = found[0].get("lastRecordedPullTime")
    return Sight(
        # An API that knows no archive says nothing of it, and everything can be pulled.
        status=str(found[0].get("imageStatus") or ACTIVE),
        tags=tuple(sorted(found[0].get("imageTags") or ())),
        pulled_at=pulled.isoformat() if pulled else "",
    )


def store_as(aws: AwsClients, image: Image, storage: str) -> JsonObject:
    """Move it to another storage class. Raises StepFailed where ECR does not do that."""
    api = "ecr:UpdateImageStorageClass"
    with calling(api, only_change=True):
        try:
            answer = aws.ecr(image.region, attempts=1).update_image_storage_class(
                **image.arguments,
                imageId={"imageDigest": image.digest},
                targetStorageClass=storage,
            )
        except ClientError as error:
            if code_of(error) in _MISSING:
                return {"answer": NOT_THERE}
            if code_of(error) == _UNSUPPORTED:
                raise StepFailed(
                    f"{api}: ECR does not move this image to {storage}",
                    remedy="delete the image in the registry, or deny pulls by the repository's "
                    "policy, which hits all of its tags",
                ) from None
            raise
    return {
        "answer": str(answer.get("imageStatus") or ""),
        "request_id": answer["ResponseMetadata"].get("RequestId", ""),
    }

"""ECR made truer: one image can be archived and brought back, and while away is not given out.

https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_UpdateImageStorageClass.html
"""
# ruff: noqa: SLF001  # MiniStack has no public hooks; its version is pinned

from __future__ import annotations

import json
from typing import Any

_TARGET = ".UpdateImageStorageClass"
_STATUS = {"ARCHIVE": "ARCHIVED", "STANDARD": "ACTIVE"}


def patch_archive(ecr: Any) -> None:
    """Serve the call, and what follows from it wherever images are shown or given out."""
    served = ecr.handle_request

    async def handle(
        method: str, path: str, headers: dict[str, str], body: bytes, query: dict[str, Any]
    ) -> Any:
        if headers.get("x-amz-target", "").endswith(_TARGET):
            return _update(ecr, json.loads(body))
        return await served(method, path, headers, body, query)

    ecr.handle_request = handle
    ecr._describe_images = _described(ecr, ecr._describe_images)
    ecr._batch_get_image = _given(ecr, ecr._batch_get_image)


def _update(ecr: Any, data: dict[str, Any]) -> Any:
    name, wanted = data.get("repositoryName", ""), data.get("targetStorageClass")
    if wanted not in _STATUS:
        return ecr.error_response_json("InvalidParameterException", "targetStorageClass", 400)
    if name not in ecr._repositories:
        return ecr.error_response_json(
            "RepositoryNotFoundException", f"The repository with name '{name}' does not exist", 400
        )
    image = ecr._find_image(name, data.get("imageId", {}))
    if image is None:
        return ecr.error_response_json("ImageNotFoundException", "The image does not exist", 400)
    image["imageStatus"] = _STATUS[wanted]
    return ecr.json_response(
        {
            "registryId": ecr._registry_id(),
            "repositoryName": name,
            "imageId": image["imageId"],
            "imageStatus": image["imageStatus"],
        }
    )


def _status(image: dict[str, Any]) -> str:
    return str(image.get("imageStatus", "ACTIVE"))


def _described(ecr: Any, handler: Any) -> Any:
    """With the status of each; only active ones where nothing else is asked for."""

    def call(data: dict[str, Any]) -> Any:
        code, headers, body = handler(data)
        found = json.loads(body)
        if "imageDetails" not in found:
            return code, headers, body
        name = data.get("repositoryName", "")
        wanted = data.get("filter", {}).get("imageStatus", "ACTIVE")
        shown = []
        for each in found["imageDetails"]:
            image = ecr._find_image(name, {"imageDigest": each["imageDigest"]})
            status = _status(image)
            if wanted in {"ANY", status}:
                shown.append({**each, "imageStatus": status})
        if data.get("imageIds") and not shown:
            return ecr.error_response_json("ImageNotFoundException", "no such image", 400)
        return ecr.json_response({"imageDetails": shown})

    return call


def _given(ecr: Any, handler: Any) -> Any:
    """What is archived is not given out, as if it were not there."""

    def call(data: dict[str, Any]) -> Any:
        name = data.get("repositoryName", "")
        ids = data.get("imageIds", [])
        away = [each for each in ids if _away(ecr, name, each)]
        code, headers, body = handler({**data, "imageIds": [e for e in ids if e not in away]})
        found = json.loads(body)
        if not away or "failures" not in found:
            return code, headers, body
        refused = [
            {"imageId": each, "failureCode": "ImageNotFound", "failureReason": "it is archived"}
            for each in away
        ]
        return ecr.json_response({**found, "failures": [*found["failures"], *refused]})

    return call


def _away(ecr: Any, name: str, named: dict[str, Any]) -> bool:
    image = ecr._find_image(name, named)
    return image is not None and _status(image) != "ACTIVE"

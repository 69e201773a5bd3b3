"""What a request asks for, whatever its protocol."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, unquote

_OBJECT_PARTS = 2  # /bucket/key
# IAM names of S3 actions that differ from the API's name.
_S3_APIS = {"ListAllMyBuckets": "ListBuckets", "ListBucket": "ListObjects"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One API call as a client meant it. ``params`` may hold secrets: redact before keeping it."""

    service: str
    api: str
    region: str
    access_key_id: str
    params: Mapping[str, Any]
    user_agent: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """An HTTP request, its body read."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


def understand(request: Request, ministack: Any) -> Call:
    """Name the call, by MiniStack's own routing."""
    headers, query = dict(request.headers), dict(request.query)
    args = (request.method, request.path, headers)
    routing = ministack.app._routing_params(*args, request.body, query)  # noqa: SLF001  # pinned
    service = ministack.router.detect_service(*args, routing)
    action = ministack.iam_actions.extract_iam_action(service, *args, request.body, routing)
    return Call(
        service=service,
        api=_api(service, action, headers, routing),
        region=ministack.router.extract_region(headers, query),
        access_key_id=ministack.router.extract_access_key_id(headers, query) or "",
        params=_params(request, service),
        user_agent=headers.get("user-agent", ""),
    )


def _api(
    service: str, action: str | None, headers: Mapping[str, str], params: Mapping[str, Any]
) -> str:
    target = headers.get("x-amz-target", "")
    if "." in target:
        return target.rsplit(".", 1)[-1]
    if params.get("Action"):
        named = params["Action"]
        return str(named[0] if isinstance(named, list) else named)
    name = (action or "Unknown").rpartition(":")[2]
    return _S3_APIS.get(name, name) if service == "s3" else name


def _params(request: Request, service: str) -> dict[str, Any]:
    kind = request.headers.get("content-type", "")
    if "json" in kind:
        try:
            parsed = json.loads(request.body or b"{}")
        except ValueError:
            return {}
        return parsed if isinstance(parsed, dict) else {}
    if "form" in kind:
        form = parse_qs(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        return {key: value[0] for key, value in form.items() if key not in ("Action", "Version")}
    if service == "s3":
        parts = unquote(request.path).lstrip("/").split("/", 1)
        names = {"bucketName": parts[0]} if parts[0] else {}
        return names | ({"key": parts[1]} if len(parts) == _OBJECT_PARTS and parts[1] else {})
    return {}

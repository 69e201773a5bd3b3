"""A request's arguments, whichever of Slack's three ways they came."""

from __future__ import annotations

import json
from email.message import Message
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request

_JSON_FIELDS = frozenset({"blocks", "view", "metadata"})  # JSON inside forms


def parse_arguments(request: Request, body: bytes) -> dict[str, Any]:
    """Query, form and JSON arguments together; later ones win."""
    found: dict[str, Any] = dict(request.query_params)
    header = Message()
    header["content-type"] = request.headers.get("content-type", "")
    if header.get_content_type() == "application/json" and body:
        parsed = json.loads(body)
        if isinstance(parsed, dict):
            found |= parsed
    else:
        found |= dict(parse_qsl(body.decode("utf-8", "replace")))
        for key in _JSON_FIELDS & found.keys():
            found[key] = json.loads(found[key])
    return found


def bearer(request: Request, arguments: dict[str, Any]) -> str | None:
    """The token: from the header, or the ``token`` argument."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        return token
    argument = arguments.get("token")
    return str(argument) if argument else None

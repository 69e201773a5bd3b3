"""CloudTrail's event history: what was recorded, and LookupEvents over it.

Limits as in https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html:
one attribute a call, at most 50 events a page, newest first.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

_PAGE = 50
_ATTRIBUTES = frozenset(
    {
        "EventId",
        "EventName",
        "ReadOnly",
        "Username",
        "ResourceType",
        "ResourceName",
        "EventSource",
        "AccessKeyId",
    }
)


class LookupRefused(Exception):  # noqa: N818  # an answer, not a failure of the lab
    """The request is one that CloudTrail refuses; ``code`` is AWS's."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(slots=True)
class Trail:
    """Events in the order they were recorded, with the Region that keeps each."""

    lag: float = 0.0  # seconds until an event can be looked up
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def record(self, region: str, event: dict[str, Any]) -> None:
        """Keep one event (in the shape LookupEvents answers with)."""
        self.events.append((region, event))

    def lookup(self, query: Mapping[str, Any], *, region: str, now: float) -> dict[str, Any]:
        """Answer LookupEvents."""
        attribute = _attribute(query)
        start, end = query.get("StartTime"), query.get("EndTime")
        if start is not None and end is not None and start > end:
            raise LookupRefused("InvalidTimeRangeException", "StartTime is after EndTime.")
        size = int(query.get("MaxResults") or _PAGE)
        if not 1 <= size <= _PAGE:
            raise LookupRefused("InvalidMaxResultsException", "MaxResults must be 1 to 50.")
        shape = json.dumps([attribute, start, end, region])
        below = _position(query.get("NextToken"), shape, len(self.events))
        page: list[dict[str, Any]] = []
        for index in range(below - 1, -1, -1):
            place, event = self.events[index]
            if place != region or not _fits(event, attribute, start, end, latest=now - self.lag):
                continue
            if len(page) == size:
                return {"Events": page, "NextToken": _token(index + 1, shape)}
            page.append(event)
        return {"Events": page}


def _attribute(query: Mapping[str, Any]) -> tuple[str, str] | None:
    asked = query.get("LookupAttributes") or []
    if len(asked) > 1:
        raise LookupRefused("InvalidLookupAttributesException", "Only one attribute is supported.")
    if not asked:
        return None
    key = str(asked[0].get("AttributeKey"))
    if key not in _ATTRIBUTES:
        raise LookupRefused("InvalidLookupAttributesException", f"Unknown attribute {key}.")
    return key, str(asked[0].get("AttributeValue"))


def _fits(
    event: Mapping[str, Any],
    attribute: tuple[str, str] | None,
    start: float | None,
    end: float | None,
    *,
    latest: float,
) -> bool:
    at = event["EventTime"]
    if at > latest or (start is not None and at < start) or (end is not None and at > end):
        return False
    if attribute is None:
        return True
    key, wanted = attribute
    if key in ("ResourceName", "ResourceType"):
        return any(resource.get(key) == wanted for resource in event["Resources"])
    return bool(event.get(key) == wanted)


def _token(below: int, shape: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([below, shape]).encode()).decode()


def _position(token: str | None, shape: str, count: int) -> int:
    if token is None:
        return count
    try:
        below, asked = json.loads(base64.urlsafe_b64decode(token))
    except (binascii.Error, ValueError, TypeError):
        raise LookupRefused("InvalidNextTokenException", "The token is not valid.") from None
    if asked != shape or not isinstance(below, int) or not 0 <= below <= count:
        raise LookupRefused("InvalidNextTokenException", "The token is for another request.")
    return below

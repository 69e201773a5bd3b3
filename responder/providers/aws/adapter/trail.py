"""One CloudTrail event, reduced to what an investigation needs. Pure; every text is hostile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from stanch.responder.providers.aws.adapter.error import masked

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail.type_defs import EventTypeDef

_LONGEST = 160
_REFUSALS = ("AccessDenied", "Unauthorized", "UnrecognizedClient", "InvalidClientTokenId")


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a credential. ``outcome`` is ``ok`` or AWS's error code."""

    id: str
    at: datetime
    api: str
    ip: str
    agent: str
    region: str
    outcome: str
    born: tuple[str, ...]  # ids of the credentials that this call created, whole

    @property
    def denied(self) -> bool:
        """AWS said no, as opposed to: the request was wrong."""
        return self.outcome.removeprefix("Client.").startswith(_REFUSALS)


def parse(event: EventTypeDef) -> Use:
    """The use behind an item of LookupEvents. Missing or odd fields become ``unknown``."""
    detail = _detail(event)
    source = _text(event.get("EventSource")).removesuffix(".amazonaws.com")
    return Use(
        id=_text(event.get("EventId")),
        at=event["EventTime"],
        api=f"{source}:{_text(event.get('EventName'))}",
        ip=_text(detail.get("sourceIPAddress")),
        agent=_text(detail.get("userAgent")),
        region=_text(detail.get("awsRegion")),
        outcome=_text(detail["errorCode"]) if detail.get("errorCode") else "ok",
        born=tuple(_born(detail.get("responseElements"))),
    )


def _detail(event: EventTypeDef) -> Mapping[str, object]:
    try:
        found = json.loads(event.get("CloudTrailEvent", "{}"))
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _born(elements: object) -> Iterator[str]:
    """Ids of new credentials: sessions stand under ``credentials``, keys under ``accessKey``."""
    if not isinstance(elements, Mapping):
        return
    for place in (elements, elements.get("credentials"), elements.get("accessKey")):
        found = place.get("accessKeyId") if isinstance(place, Mapping) else None
        if isinstance(found, str) and found:
            yield found


def _text(value: object) -> str:
    """One printable line of bounded length, key ids masked."""
    if not isinstance(value, str) or not value:
        return "unknown"
    return masked("".join(c if c.isprintable() else "?" for c in value[: _LONGEST * 2]))[:_LONGEST]

"""Who changed a key's status, by the trail: for when the answer to our own call was lost.

The trail is late, so it is asked only once its lag is over; until then nobody knows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.json import JsonObject
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling, masked
from stanch.responder.providers.aws.adapter.trail import GLOBAL

_SIGNATURE = "stanch"  # what our clients add to their User-Agent
_SKEW = timedelta(minutes=5)  # our clock against AWS's
_PAGES = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """``ours`` is None when the trail does not say, or not yet; ``who`` says it for people."""

    ours: bool | None
    who: str


def who_disabled(
    aws: AwsClients, key_id: str, before: Mapping[str, object], now: datetime
) -> Author:
    """Whose call made the key inactive, which was active when ``before`` was seen."""
    looked = before.get("at")
    if not isinstance(looked, str):
        return _unknown("when it was still active is not on record")
    since = datetime.fromisoformat(looked)
    ready = since + aws.settings.lag
    if now < ready:
        return _unknown(f"CloudTrail may say so only at {ready:%H:%M:%S} UTC")
    try:
        events = sorted(_changes(aws, since - _SKEW), key=lambda event: event[0])
        us = _principal(aws.arn())
    except (StepFailed, NotThere, Retryable) as error:
        return _unknown(str(error))
    found: JsonObject = {}
    for _, detail in events:
        asked = detail.get("requestParameters")
        if not isinstance(asked, Mapping) or asked.get("accessKeyId") != key_id:
            continue
        found = {} if asked.get("status") == "Active" else found or detail
    identity = found.get("userIdentity")
    arn = str(identity.get("arn", "")) if isinstance(identity, Mapping) else ""
    if not arn:
        return _unknown("CloudTrail shows no such call")
    ours = _principal(arn) == us and _SIGNATURE in str(found.get("userAgent", ""))
    return Author(ours=ours, who="we did" if ours else masked(arn)[:200])


def _changes(aws: AwsClients, since: datetime) -> Iterator[tuple[datetime, JsonObject]]:
    """Every answered UpdateAccessKey since then."""
    with calling("cloudtrail:LookupEvents"):
        pages = aws.cloudtrail(GLOBAL).get_paginator("lookup_events")
        chosen = [{"AttributeKey": "EventName", "AttributeValue": "UpdateAccessKey"}]
        found = pages.paginate(LookupAttributes=chosen, StartTime=since)  # type: ignore[arg-type]  # the stubs want the literal's own type
        for number, page in enumerate(found):
            if number == _PAGES:
                raise StepFailed("too many keys were changed to look through", remedy="")
            for event in page["Events"]:
                detail = json.loads(event.get("CloudTrailEvent", "{}"))
                if isinstance(detail, dict) and not detail.get("errorCode"):
                    yield event["EventTime"], detail


def _principal(arn: str) -> str:
    """The role behind a session, whose name changes; anybody else as they are."""
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn


def _unknown(why: str) -> Author:
    return Author(ours=None, who=f"not known: {why}")

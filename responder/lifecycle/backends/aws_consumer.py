"""Who read secrets of AWS, as CloudTrail tells it: also programs that know nothing of us."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any

from stanch.responder.lifecycle.backends.aws_call import ask
from stanch.responder.lifecycle.backends.naming import reference_at
from stanch.responder.lifecycle.inventory.discovery.item import Unseen
from stanch.responder.lifecycle.model.answer import NotGiven
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import masked

_READS = ("GetSecretValue", "GetParameter", "GetParameters")
_LONGEST = 120  # characters of a consumer's name; it may come from an attacker


def readers(
    aws: AwsClients, since: datetime, until: datetime
) -> tuple[Mapping[str, tuple[str, ...]], tuple[Unseen, ...]]:
    """Consumers by reference, of the Region that our clients call, and what was not read.

    CloudTrail keeps 90 days and delivers within minutes. A call that was refused is no use.
    """
    found: dict[str, set[str]] = {}
    for name in _READS:
        for event in _events(aws, name, since, until):
            if isinstance(event, Unseen):  # who does not answer this does not answer the next
                return _sorted(found), (event,)
            detail = _detail(event)
            if detail.get("errorCode"):
                continue
            for path in _paths(detail):
                reference = reference_at(path)
                if reference is not None:
                    found.setdefault(str(reference), set()).add(_who(detail))
    return _sorted(found), ()


def _sorted(found: Mapping[str, set[str]]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(sorted(who)) for name, who in found.items()}


def _events(aws: AwsClients, name: str, since: datetime, until: datetime) -> Iterator[Any]:
    trail, more = aws.cloudtrail(), dict[str, Any]()
    while True:
        aws.await_turn(aws.settings.region)  # two lookups a second are all that AWS allows
        page = ask(
            "cloudtrail:LookupEvents",
            partial(
                trail.lookup_events,
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": name}],
                StartTime=since,
                EndTime=until,
                **more,
            ),
        )
        if isinstance(page, NotGiven):
            yield Unseen(place=f"CloudTrail ({name})", why=page.why)
            return
        yield from page["Events"]
        if not page.get("NextToken"):
            return
        more = {"NextToken": page["NextToken"]}


def _detail(event: Any) -> dict[str, Any]:
    try:
        found = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _paths(detail: dict[str, Any]) -> Iterator[str]:
    """What was read: a name, a list of names, or an ARN with AWS's six characters behind it."""
    asked = detail.get("requestParameters")
    if not isinstance(asked, dict):
        return
    named = [asked.get("secretId"), asked.get("name"), *_list(asked.get("names"))]
    for text in named:
        if not isinstance(text, str):
            continue
        plain = text.rpartition(":secret:")[2].rpartition(":parameter")[2]
        yield plain.partition(":")[0].strip("/")
        if ":secret:" in text:
            yield plain.rpartition("-")[0]


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _who(detail: dict[str, Any]) -> str:
    """``role/payments``, ``user/deploy``: what a person looks for, with key ids masked."""
    identity = detail.get("userIdentity")
    identity = identity if isinstance(identity, dict) else {}
    arn = str(identity.get("arn") or identity.get("principalId") or "unknown")
    tail = arn.partition(":")[2].rpartition(":")[2] or arn
    role = tail.split("/")
    name = f"role/{role[1]}" if role[0] == "assumed-role" and len(role) > 1 else tail
    return masked("".join(c if c.isprintable() else "?" for c in name))[:_LONGEST]

"""What the key did, and what the sessions and keys born from it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import ClassVar

from stanch.responder.domain.json import JsonObject, JsonValue
from stanch.responder.domain.step import Call, Effect, StepContext, StepSpec, Verdict, Verified
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import calling, mask_id
from stanch.responder.providers.aws.adapter.identity import OwnedKey, agent, leaked_id, text_of
from stanch.responder.providers.aws.adapter.trail import Use, parse

_GLOBAL = "us-east-1"  # where IAM's and the global STS endpoint's events are kept
_TOP = 20
_EVENTS = 200
_PAGES = 120  # about a minute at the pace that AWS allows
_CREDENTIALS = 25


@dataclass(slots=True)
class _Hunt:
    """What has been found so far, breadth first over the credential tree."""

    uses: dict[str, Use] = field(default_factory=dict)
    born: dict[str, Use] = field(default_factory=dict)  # whole id -> the use that made it
    pages: int = 0
    truncated: bool = False


class FindActivity:
    """Look the key up in CloudTrail's event history: 90 days, management events.

    CloudTrail is minutes late, so this is what was seen so far. Our own attempts are recognised by
    their User-Agent, which carries the run's id, and are counted apart.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.cloudtrail.activity",
        title="Find what the key and its sessions did",
        effect=Effect.READ,
        params=OwnedKey,
        permissions=("cloudtrail:LookupEvents",),
        parts=("access_key_id",),
        outputs=(
            "count",
            "denied",
            "first",
            "last",
            "source_ips",
            "user_agents",
            "apis",
            "children",
            "events",
            "truncated",
            "own",
        ),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: OwnedKey, preview: str) -> tuple[Call, ...]:
        """One search per Region for the key; more for each credential born from it."""
        del params
        return tuple(
            Call(
                api="cloudtrail:LookupEvents",
                arguments={"AccessKeyId": preview, "Region": region},
            )
            for region in self._regions()
        )

    def look(self, params: OwnedKey, ctx: StepContext) -> Verdict:
        """Search, follow children, sum up."""
        del params
        hunt = _Hunt()
        ours = agent(ctx)
        waiting, searched = [leaked_id(ctx)], 0
        while waiting:
            if searched >= _CREDENTIALS:
                hunt.truncated = True
                break
            searched += 1
            for use in self._search(waiting.pop(0), hunt):
                hunt.uses[use.id] = use
                for child in use.born:
                    if child not in hunt.born:
                        hunt.born[child] = use
                        waiting.append(child)
        theirs = [use for use in hunt.uses.values() if ours not in use.agent]
        children = [
            f"{mask_id(child)} by {use.api}"
            for child, use in hunt.born.items()
            if ours not in use.agent
        ]
        outputs = _summary(sorted(theirs, key=lambda use: (use.at, use.id)), children) | {
            "truncated": hunt.truncated or len(theirs) > _EVENTS,
            "own": len(hunt.uses) - len(theirs),
        }
        evidence: JsonObject = {
            **{key: value for key, value in outputs.items() if key != "events"},
            "regions": list(self._regions()),
            "searched": searched,
            "seen_at": text_of(ctx.now()),
        }
        return Verified(evidence=evidence, outputs=outputs)

    def _regions(self) -> tuple[str, ...]:
        settings = self._aws.settings
        return tuple(dict.fromkeys((settings.region, *settings.regions, _GLOBAL)))

    def _search(self, key_id: str, hunt: _Hunt) -> Iterator[Use]:
        pace = self._aws.settings.pace.total_seconds()
        for region in self._regions():
            if hunt.pages:
                self._aws.sleep(pace)
            pages = self._aws.cloudtrail(region).get_paginator("lookup_events")
            with calling("cloudtrail:LookupEvents"):
                for page in pages.paginate(
                    LookupAttributes=[{"AttributeKey": "AccessKeyId", "AttributeValue": key_id}],
                    PaginationConfig={"PageSize": 50},
                ):
                    yield from (parse(event) for event in page["Events"])
                    hunt.pages += 1
                    if hunt.pages >= _PAGES:
                        hunt.truncated = True
                        return
                    if "NextToken" in page:
                        self._aws.sleep(pace)


def _summary(uses: list[Use], children: list[str]) -> dict[str, JsonValue]:
    return {
        "count": len(uses),
        "denied": sum(use.denied for use in uses),
        "first": text_of(uses[0].at) if uses else "",
        "last": text_of(uses[-1].at) if uses else "",
        "source_ips": _top(use.ip for use in uses),
        "user_agents": _top(use.agent for use in uses),
        "apis": _top(use.api for use in uses),
        "children": children[:_TOP],
        "events": [
            {"time": text_of(use.at), "api": use.api, "ip": use.ip, "outcome": use.outcome}
            for use in uses[-_EVENTS:]
        ],
    }


def _top(names: Iterable[str]) -> dict[str, JsonValue]:
    """The most frequent names with their counts."""
    counted = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return dict(counted[:_TOP])

"""What the key did, and what the sessions and keys born from it did."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from stanch.responder.domain.error import StepFailed
from stanch.responder.domain.json import JsonObject, JsonValue
from stanch.responder.domain.step import (
    Call,
    Effect,
    NotYet,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.client import AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling, mask_id
from stanch.responder.providers.aws.adapter.identity import agents, leaked_id, text_of
from stanch.responder.providers.aws.adapter.trail import GLOBAL, Child, Use, parse
from stanch.responder.providers.aws.steps.lineage import bequeathed

_TOP = 20
_EVENTS = 200
_PAGES = 120  # for one credential in one Region: about a minute at the pace that AWS allows
_CREDENTIALS = 25
_AT_ONCE = 8  # Regions; CloudTrail's limit counts for each


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """``complete_after``: read only when all that happened before then must have been delivered."""

    user: str
    complete_after: str = ""


@dataclass(slots=True)
class _Hunt:
    """What has been found so far, breadth first over the credential tree."""

    uses: dict[str, Use] = field(default_factory=dict)
    born: dict[str, tuple[Child, Use]] = field(default_factory=dict)  # by whole id
    unread: dict[str, str] = field(default_factory=dict)  # Region to reason
    truncated: bool = False


class FindActivity:
    """Look the key up in CloudTrail's event history: 90 days, management events.

    CloudTrail is minutes late, so this is what was seen so far, and ``complete_until`` says how
    far. Our own attempts are recognised by their User-Agent, which carries a run's id, and are
    counted apart.
    """

    spec: ClassVar[StepSpec] = StepSpec(
        name="aws.cloudtrail.activity",
        title="Find what the key and its sessions did",
        effect=Effect.READ,
        params=Trail,
        permissions=("cloudtrail:LookupEvents", "ec2:DescribeRegions"),
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
            "born",
            "events",
            "truncated",
            "own",
            "regions",
            "unread",
            "complete_until",
        ),
    )

    def __init__(self, aws: AwsClients) -> None:
        self._aws = aws

    def calls(self, params: Trail, preview: str) -> tuple[Call, ...]:
        """A search in each Region for the key; more for each credential born from it."""
        del params
        named = self._aws.settings.regions
        regions = tuple(dict.fromkeys((*named, GLOBAL))) if named else ("each enabled Region",)
        return tuple(
            Call(
                api="cloudtrail:LookupEvents",
                arguments={"AccessKeyId": preview, "Region": region},
            )
            for region in regions
        )

    def look(self, params: Trail, ctx: StepContext) -> Verdict:
        """Search, follow children, sum up."""
        later = self._too_early(params, ctx)
        if later is not None:
            return later
        began = ctx.now()
        hunt = _Hunt()
        regions = self._regions(hunt)
        searched = self._hunt(leaked_id(ctx), regions, hunt)
        ours = agents(ctx)
        theirs = [use for use in hunt.uses.values() if not _signed(use, ours)]
        born = [(child, use) for child, use in hunt.born.values() if not _signed(use, ours)]
        uses = sorted(theirs, key=lambda use: (use.at, use.id))
        outputs = _summary(uses, [f"{mask_id(child.id)} by {use.api}" for child, use in born]) | {
            "born": bequeathed(child for child, _ in born),
            "truncated": hunt.truncated or len(theirs) > _EVENTS,
            "own": len(hunt.uses) - len(theirs),
            "regions": [region for region in regions if region not in hunt.unread],
            "unread": [f"{region}: {why}" for region, why in sorted(hunt.unread.items())],
            "complete_until": text_of(began - self._aws.settings.lag),
        }
        evidence: JsonObject = {
            **{key: value for key, value in outputs.items() if key != "events"},
            "searched": searched,
            "seen_at": text_of(began),
        }
        return Verified(evidence=evidence, outputs=outputs)

    def _too_early(self, params: Trail, ctx: StepContext) -> NotYet | None:
        """CloudTrail may still deliver what happened before the wanted moment."""
        if not params.complete_after:
            return None
        ready = datetime.fromisoformat(params.complete_after) + self._aws.settings.lag
        left = ready - ctx.now()
        if left.total_seconds() <= 0:
            return None
        why = f"CloudTrail may deliver until {ready:%H:%M:%S} UTC what happened before containment"
        return NotYet(why=why, after=left, until=ready)

    def _regions(self, hunt: _Hunt) -> tuple[str, ...]:
        """Where to search. A list that cannot be had is said, never taken for a short one."""
        try:
            enabled = self._aws.regions()
        except (StepFailed, NotThere) as error:
            hunt.unread["other Regions"] = str(error)
            enabled = (self._aws.settings.region,)
        return tuple(dict.fromkeys((*enabled, GLOBAL)))

    def _hunt(self, key_id: str, regions: tuple[str, ...], hunt: _Hunt) -> int:
        waiting, searched = [key_id], 0
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="stanch-trail") as pool:
            while waiting:
                if searched >= _CREDENTIALS:
                    hunt.truncated = True
                    break
                searched += 1
                wanted = waiting.pop(0)
                found = pool.map(lambda region, id_=wanted: self._search(id_, region), regions)
                for region, (uses, why, more) in zip(regions, found, strict=True):
                    hunt.truncated = hunt.truncated or more
                    if why:
                        hunt.unread[region] = why
                    for use in uses:
                        hunt.uses[use.id] = use
                        for child in use.born:
                            if child.id not in hunt.born:
                                hunt.born[child.id] = (child, use)
                                waiting.append(child.id)
        return searched

    def _search(self, key_id: str, region: str) -> tuple[list[Use], str, bool]:
        """The uses in one Region, why it could not be read, and whether there are more."""
        pace = self._aws.settings.pace.total_seconds()
        uses: list[Use] = []
        self._aws.sleep(pace)  # also between one credential and the next
        pages = self._aws.cloudtrail(region).get_paginator("lookup_events")
        try:
            with calling("cloudtrail:LookupEvents"):
                for number, page in enumerate(
                    pages.paginate(
                        LookupAttributes=[
                            {"AttributeKey": "AccessKeyId", "AttributeValue": key_id}
                        ],
                        PaginationConfig={"PageSize": 50},
                    ),
                    start=1,
                ):
                    uses.extend(parse(event) for event in page["Events"])
                    if number >= _PAGES:
                        return uses, "", True
                    if "NextToken" in page:
                        self._aws.sleep(pace)
        except (StepFailed, NotThere) as error:
            return uses, str(error), False
        return uses, "", False


def _signed(use: Use, agents: frozenset[str]) -> bool:
    return any(each in use.agent for each in agents)


def _summary(uses: list[Use], children: list[str]) -> dict[str, JsonValue]:
    return {
        "count": len(uses),
        "denied": sum(use.denied for use in uses),
        "first": text_of(uses[0].at) if uses else "",
        "last": text_of(uses[-1].at) if uses else "",
        "source_ips": _top(use.ip for use in uses),
        "user_agents": _top(use.agent for use in uses),
        "apis": _top(use.api for use in uses),
        "children": list[JsonValue](children[:_TOP]),
        "events": [
            {"time": text_of(use.at), "api": use.api, "ip": use.ip, "outcome": use.outcome}
            for use in uses[-_EVENTS:]
        ],
    }


def _top(names: Iterable[str]) -> dict[str, JsonValue]:
    """The most frequent names with their counts."""
    counted = sorted(Counter(names).items(), key=lambda item: (-item[1], item[0]))
    return dict(counted[:_TOP])

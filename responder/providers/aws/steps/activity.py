"""What the key did, and what the sessions and keys born from it did."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from msgspec import structs

from stanch.responder.domain.error import Retryable, StepFailed
from stanch.responder.domain.json import JsonObject
from stanch.responder.domain.step import (
    Call,
    Effect,
    GoOn,
    NotYet,
    Pace,
    StepContext,
    StepSpec,
    Verdict,
    Verified,
)
from stanch.responder.providers.aws.adapter.client import TRAIL_PACE, AwsClients
from stanch.responder.providers.aws.adapter.error import NotThere, calling
from stanch.responder.providers.aws.adapter.identity import agents, leaked_id, text_of
from stanch.responder.providers.aws.adapter.trail import GLOBAL, Use, parse
from stanch.responder.providers.aws.steps.search import (
    FAILURES,
    PAGES,
    Origin,
    Place,
    Search,
    resumed,
)
from stanch.responder.providers.patience import SOON

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail.literals import LookupAttributeKeyType
    from mypy_boto3_cloudtrail.type_defs import LookupEventsResponseTypeDef

_AT_ONCE = 8  # Regions; CloudTrail's limit counts for each
_ONE_TRY = timedelta(seconds=5)  # then it is others' turn, and what was read is kept
_REMEMBERED = 500  # ids of children


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """``complete_after``: read only when all that happened before then must have been delivered."""

    user: str
    complete_after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Page:
    """What one question brought. With ``after`` it may be asked again; else ``why`` is final."""

    uses: tuple[Use, ...] = ()
    token: str = ""
    why: str = ""
    after: timedelta = timedelta(0)


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
        grows=True,
        pace=Pace(name="cloudtrail", every=TRAIL_PACE),
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

    def __init__(self, aws: AwsClients, clock: Callable[[], float] = time.monotonic) -> None:
        self._aws = aws
        self._clock = clock
        self._ids: dict[Origin, str] = {}  # of children, so that a page costs one question
        self._reading = threading.Lock()

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
        """Search, follow children, sum up. A try takes seconds; the next goes on from there."""
        later = self._too_early(params, ctx)
        if later is not None:
            return later
        search = resumed(ctx.cursor) or self._begun(ctx)
        pause = self._go_on(search, ctx)
        if search.left:
            return GoOn(cursor=search.cursor(), after=pause)
        outputs = search.summary() | {
            "complete_until": text_of(search.began - self._aws.settings.lag)
        }
        evidence: JsonObject = {
            **{key: value for key, value in outputs.items() if key != "events"},
            "searched": len(search.origins),
            "seen_at": text_of(search.began),
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

    def _begun(self, ctx: StepContext) -> Search:
        """Where to search. A list that cannot be had is said, never taken for a short one."""
        unread: dict[str, str] = {}
        try:
            enabled = self._aws.regions()
        except (StepFailed, NotThere) as error:
            unread["other Regions"] = str(error)
            enabled = (self._aws.settings.region,)
        regions = list(dict.fromkeys((*enabled, GLOBAL)))
        search = Search(began=ctx.now(), regions=regions, unread=unread)
        search.open(0)
        return search

    def _go_on(self, search: Search, ctx: StepContext) -> timedelta:
        """Read pages until there are none, the time is up or nobody answers; how long to wait."""
        until = self._clock() + _ONE_TRY.total_seconds()
        ours, leaked = agents(ctx), leaked_id(ctx)
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="stanch-trail") as pool:
            while search.left:
                batch = search.left[:_AT_ONCE]
                search.left = search.left[_AT_ONCE:]
                pause = timedelta(0)
                for place, page in zip(
                    batch, pool.map(lambda p: self._page(p, search, leaked), batch), strict=True
                ):
                    self._keep(search, place, page, ours)
                    # The oftener in a row nobody answered, the longer the next one is waited for.
                    pause = max(pause, page.after * (place.failures + 1))
                if pause or self._clock() >= until:
                    return pause
        return timedelta(0)

    def _keep(self, search: Search, place: Place, page: _Page, ours: frozenset[str]) -> None:
        """What became of one place."""
        search.take(place, page.uses, ours)
        if page.after and place.failures + 1 < FAILURES:
            search.left.append(structs.replace(place, failures=place.failures + 1))
        elif page.why:
            search.unread[place.region] = page.why
        elif page.token and place.pages + 1 < PAGES:
            search.left.append(
                structs.replace(place, token=page.token, pages=place.pages + 1, failures=0)
            )
        elif page.token:
            search.truncated = True

    def _page(self, place: Place, search: Search, leaked: str) -> _Page:
        """One page: who is used how often counts for each Region."""
        try:
            key_id = self._id_of(search.origins[place.credential], leaked)
            found = self._lookup(place.region, "AccessKeyId", key_id, place.token)
        except Retryable as error:
            return _Page(why=str(error), after=max(error.after, SOON))
        except (StepFailed, NotThere) as error:
            return _Page(why=str(error))
        uses = tuple(parse(event) for event in found["Events"])
        return _Page(uses=uses, token=found.get("NextToken", ""))

    def _id_of(self, origin: Origin, leaked: str) -> str:
        """The id to search for; of a child it is read once more from the event that bore it."""
        if not origin.event:
            return leaked
        with self._reading:
            return self._born_at(origin)

    def _born_at(self, origin: Origin) -> str:
        known = self._ids.get(origin)
        if known is None:
            events = self._lookup(origin.region, "EventId", origin.event, "")["Events"]
            if not events:
                raise StepFailed("the event that bore a credential is not found again", remedy="")
            if len(self._ids) > _REMEMBERED:
                self._ids.clear()
            known = self._ids[origin] = parse(events[0]).born[origin.number].id
        return known

    def _lookup(
        self, region: str, key: LookupAttributeKeyType, value: str, token: str
    ) -> LookupEventsResponseTypeDef:
        self._aws.await_turn(region)
        more: Any = {"NextToken": token} if token else {}
        with calling("cloudtrail:LookupEvents"):
            return self._aws.cloudtrail(region).lookup_events(
                LookupAttributes=[{"AttributeKey": key, "AttributeValue": value}],
                MaxResults=50,
                **more,
            )

"""What a scan finds for ``stanch respond``: answered at once, planned, or asked about."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import click

from stanch.responder.bootstrap import House
from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.plan import Plan
from stanch.responder.domain.run import RunState
from stanch.responder.services.intake import Report
from stanch.responder.services.sureness import AT_ONCE, Sureness
from stanch.responder.services.triage import Triage
from stanch.responder.terminal.text import visible
from stanch.scanner.api import Confidence, Gap, Scan
from stanch.scanner.model.finding import Match

_SHOWN = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A scan that is about to begin, and the name its findings are kept under."""

    root: str
    target: str
    scan: Scan


class Sweep:
    """One search, from its first finding to the question about what is in doubt."""

    def __init__(self, house: House, search: Search, by: Caller, *, every: bool) -> None:
        self._house = house
        self._search = search
        self._by = by
        self._every = every
        self._seen: list[IncidentId] = []
        self._sureness = Sureness(store=house.store, runbooks=house.responses.runbooks)
        self._doubtful: list[Match] = []
        self.left: list[Match] = []  # nobody agreed to open these

    def run(self) -> list[IncidentId]:
        """Start each sure response the moment its credential is seen; ask about the others."""
        triage = Triage(store=self._house.store, exists=self._house.exists, receive=self._take)
        made_up = triage.take(self._sure())
        for match in made_up if self._every else made_up[:AT_ONCE]:
            self._take(match)
        self._doubtful += () if self._every else made_up[AT_ONCE:]
        if self._doubtful and self._agreed(self._doubtful):
            for match in self._doubtful:
                self._take(match)
        else:
            self.left = self._doubtful
        return self._seen

    def _sure(self) -> Iterator[Match]:
        for match in _matches(self._search):
            if self._every or self._sureness.sure(match.finding):
                yield match
            else:
                self._doubtful.append(match)

    def _take(self, match: Match) -> IncidentId:
        taken = self._house.intake.receive(
            Report(match=match, root=self._search.root, by=self._by, detected_at=datetime.now(UTC))
        )
        if taken.incident not in self._seen:
            self._seen.append(taken.incident)
            # What a person paused, cancelled or takes back is left to them.
            if taken.run is None and self._failed(taken.incident):
                self._house.responses.respond(taken.incident, by=self._by, report=True)
        return taken.incident

    def _failed(self, incident: IncidentId) -> bool:
        with self._house.store.snapshot() as tx:
            runs = tx.runs.of(incident)
        return not runs or runs[-1].state in {RunState.FAILED, RunState.ABORTED}

    def _agreed(self, doubtful: list[Match]) -> bool:
        """One question for all of them; no without a terminal."""
        count = len({match.finding.fingerprint for match in doubtful})
        click.echo(f"{count} more may be credentials, too many or too unsure to open unasked:")
        for match in doubtful[:_SHOWN]:
            found = match.finding
            place = f"{found.path}:{found.span.line}"
            click.echo(f"  {visible(place)}  {found.rule}, {found.confidence} confidence")
        if len(doubtful) > _SHOWN:
            click.echo(f"  and {len(doubtful) - _SHOWN} more; `stanch scan` lists them")
        if sys.stdin.isatty():
            return click.confirm("Open incidents for them?", default=False)
        click.echo(
            f"nothing was opened for them; `stanch respond --all {self._search.target}` does"
        )
        return False


def planned(house: House, wanted: IncidentId | Search) -> tuple[list[Plan], bool]:
    """What would be done, and whether all was read. Opens nothing, calls nothing."""
    if not isinstance(wanted, Search):
        return [house.responses.plan(wanted)], True
    plans: dict[str, Plan] = {}
    for match in _matches(wanted):
        found = match.finding
        if found.fingerprint not in plans:
            plans[found.fingerprint] = house.responses.foresee(
                found, root=wanted.root, now=datetime.now(UTC)
            )
    return list(plans.values()), wanted.scan.summary.complete


def _matches(search: Search) -> Iterator[Match]:
    """As they are found; what could not be read is said."""
    for result in search.scan:
        if isinstance(result, Gap):
            if result.incomplete:
                click.echo(f"incomplete: {result.path}: {result.why}", err=True)
        elif result.finding.confidence.rank >= Confidence.MEDIUM.rank:
            yield result

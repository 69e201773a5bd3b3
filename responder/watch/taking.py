"""What a look has found becomes incidents: at once where it is sure, else a person judges."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from stanch.responder.domain.caller import Caller
from stanch.responder.domain.ids import IncidentId
from stanch.responder.domain.watched import Source, Suspicion
from stanch.responder.services.intake import Intake, News, Report
from stanch.responder.services.sureness import AT_ONCE, Sureness
from stanch.responder.services.triage import Triage
from stanch.scanner.api import Confidence, Match

MOST = 200  # finds of one look that wait for a person


@dataclass(slots=True, kw_only=True)
class Taking:
    """Takes in what one look finds."""

    intake: Intake
    exists: Callable[[Match], bool]
    sureness: Sureness
    source: Source
    new: int = 0
    left: int = 0  # finds beyond those that are kept for a person
    doubtful: list[Suspicion] = field(default_factory=list)

    def take(self, matches: Iterable[Match]) -> None:
        """Each the moment it is seen; a match that was taken in before changes nothing."""
        triage = Triage(store=self.intake.store, exists=self.exists, receive=self._receive)
        made_up = triage.take(self._sure(matches))
        for match in made_up[:AT_ONCE]:
            self._receive(match)
        for match in made_up[AT_ONCE:]:
            self._doubt(match, "does not exist, as its provider says")

    def _sure(self, matches: Iterable[Match]) -> Iterator[Match]:
        for match in matches:
            if match.finding.confidence.rank < Confidence.MEDIUM.rank:
                continue
            if self.sureness.sure(match.finding):
                yield match
            else:
                self._doubt(match, f"{match.finding.confidence} confidence")

    def _receive(self, match: Match) -> IncidentId:
        taken = self.intake.receive(
            Report(
                match=match,
                root=self.source.subject,
                by=Caller(name="stanch", door="watch", account=self.source.watch),
                detected_at=datetime.now(UTC),
            )
        )
        self.new += taken.news is not News.KNOWN
        return taken.incident

    def _doubt(self, match: Match, why: str) -> None:
        if len(self.doubtful) >= MOST:
            self.left += 1
            return
        found = match.finding
        commit = f" @ {found.commit[:12]}" if found.commit else ""
        self.doubtful.append(
            Suspicion(
                id=0,
                source=self.source.id,
                rule=found.rule,
                place=f"{found.path}:{found.span.line}{commit}",
                reason=f"{found.title or found.rule}: {why}",
                fingerprint=found.fingerprint,
                found_at=datetime.now(UTC),
            )
        )

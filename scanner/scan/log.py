"""Scans logs: every line once, and of each step its name without what may be secret in it."""

from __future__ import annotations

from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InLog
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.scan.engine import ScanEngine
from stanch.scanner.scan.pool import run
from stanch.scanner.scan.quoted import Quoted
from stanch.scanner.scan.stage import Results
from stanch.scanner.sources.log.seen import NOT_ENDED
from stanch.scanner.sources.log.source import Logs
from stanch.scanner.sources.source import Milestone

_MOST = 100_000  # findings of steps that are remembered


def spoils(gap: Gap) -> bool:
    """Whether another look may bring what this one did not."""
    return gap.incomplete and not gap.lasting


def goes_on(gap: Gap) -> bool:
    """Whether it is about a run that has yet to end."""
    return gap.why.startswith(NOT_ENDED)


class LogScan(Record, frozen=False):
    """One target. The archive of a run may hold a line twice: in its step, and in the job."""

    source: Logs
    quoted: Quoted
    again: bool = False  # somebody looks again: what goes on is no news
    _names: dict[str, str] = fresh(dict)
    _seen: set[tuple[str, str]] = fresh(set)

    def results(self, engine: ScanEngine, *, parts: bool) -> Results:
        """What is found, in the order of the logs. One process: what is listed is asked for."""
        whole = True
        for result in run(self.source, engine, parts=parts, processes=1):
            if isinstance(result, Milestone):
                if result.over is not None:
                    result.over(whole)
                whole = True
                yield result
            elif not isinstance(result, Match):
                whole = whole and not (isinstance(result, Gap) and spoils(result))
                if not (self.again and isinstance(result, Gap) and goes_on(result)):
                    yield result
            elif (match := self._placed(result)) is not None:
                yield match

    def _placed(self, match: Match) -> Match | None:
        place = match.finding.provenance
        if not isinstance(place, InLog):
            return match
        if not self._first(match, place):
            return None
        place = replace(place, job=self._shown(place.job), step=self._shown(place.step))
        finding = replace(match.finding, provenance=place)
        before = self.source.begins.get(place.path, 1) - 1
        if before:
            span = finding.span
            moved = replace(span, line=span.line + before, end_line=span.end_line + before)
            finding = replace(finding, span=moved)
        return replace(match, finding=finding)

    def _first(self, match: Match, place: InLog) -> bool:
        """Whether no step of an archive has said it already."""
        outer, inner, name = place.path.rpartition("!")
        if not inner:
            return True
        key = (f"{outer}!{place.job}", match.finding.fingerprint)
        if "/" in name:
            if len(self._seen) < _MOST:
                self._seen.add(key)
            return True
        return key not in self._seen

    def _shown(self, name: str) -> str:
        if name and name not in self._names:
            self._names[name] = self.quoted.masked(name)
        return self._names.get(name, "")

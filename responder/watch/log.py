"""Logs that a provider keeps: of pipelines the runs that ended, of log groups what came since."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from stanch.responder.domain.watched import Source
from stanch.responder.watch.setting import Watched
from stanch.responder.watch.sight import Brought, Sight
from stanch.scanner.api import Gauge, Scan, Scanner, Seen

RUNS, GROUP = "ci", "cloudwatch"


@dataclass(frozen=True, slots=True)
class Logs:
    """Reads what was not read before, and takes the measure of it."""

    scanner: Callable[[], Scanner]

    def look(self, source: Source, watched: Watched, now: datetime) -> Sight:
        """All that has ended or was added."""
        del now
        reference = f"{GROUP}/{source.subject}" if source.kind == GROUP else source.subject
        seen = Seen.of(source.cursor, behind=not watched.history)
        gauge = Gauge(source.measured)
        scan = self.scanner().scan_log(reference, seen=seen, heard=gauge.hear)
        sight = Sight(results=iter(()), cursor=source.cursor)
        sight.results = _results(scan, sight, seen, gauge)
        return sight


def _results(scan: Scan, sight: Sight, seen: Seen, gauge: Gauge) -> Iterator[Brought]:
    yield from scan
    sight.cursor = seen.kept()
    sight.owes = any(each.owed for each in seen.pipelines.values())
    sight.shifts = gauge.changes()
    sight.measured = gauge.kept()

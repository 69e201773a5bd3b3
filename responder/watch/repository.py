"""Repositories: their cursor are the commits at which everything has been read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.responder.domain.watched import Source
from stanch.responder.watch.setting import Watched
from stanch.responder.watch.sight import Brought, Sight
from stanch.scanner.api import Asked, Scan, Scanner, Selection, repository

KIND, WIKI = "git", "wiki"
_AHEAD = timedelta(days=2)  # no commit is from the day after tomorrow


@dataclass(frozen=True, slots=True)
class Repositories:
    """Reads what is new in a repository on another host; a wiki may never have been begun."""

    scanner: Callable[[], Scanner]

    def look(self, source: Source, watched: Watched, now: datetime) -> Sight:
        """All refs, from the commits of the cursor on."""
        tips = source.cursor.get("tips")
        known = tuple(str(each) for each in tips) if isinstance(tips, list | tuple) else ()
        begins = not known and not watched.history
        selection = Selection(known=known, since=(now + _AHEAD).date() if begins else None)
        place = repository(source.subject, is_wiki=source.kind == WIKI)
        scan = self.scanner().scan_remote(place, Asked(selection=selection), many=False)
        sight = Sight(results=iter(()), cursor=source.cursor)
        sight.results = _results(scan, sight)
        return sight


def _results(scan: Scan, sight: Sight) -> Iterator[Brought]:
    yield from scan
    if scan.marks:
        sight.cursor = {"tips": sorted(set(scan.marks))}

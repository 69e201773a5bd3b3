"""Owners at hosts: each repository that is listed is a source of its own, read when it changed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from stanch.responder.domain.watched import Source
from stanch.responder.watch.log import RUNS
from stanch.responder.watch.repository import KIND, WIKI
from stanch.responder.watch.setting import Watched
from stanch.responder.watch.sight import Brought, News, Sight
from stanch.scanner.api import RateLimitedError, listed_repositories, place_named


class Owners:
    """Lists repositories; what a webhook lost shows in what a host says of their last change."""

    def look(self, source: Source, watched: Watched, now: datetime) -> Sight:
        """All that the owner has now."""
        del now
        sight = Sight(results=iter(()), cursor=source.cursor, listed=True)
        sight.results = _listed(watched, sight)
        return sight


def runs_of(kind: str, host: str, name: str) -> str:
    """How the logs of a repository's pipelines are named."""
    return f"{kind}/{host}/{name}"


def _listed(watched: Watched, sight: Sight) -> Iterator[Brought]:
    host = place_named(watched.kind, watched.of)[0]
    try:
        for each in listed_repositories(watched.kind, watched.of):
            yield News(kind=KIND, subject=each.url, hint=each.changed)
            if each.wiki is not None:
                yield News(kind=WIKI, subject=each.wiki, hint=each.changed)
            if watched.runs:
                name = runs_of(watched.kind, host, each.name)
                yield News(kind=RUNS, subject=name, hint=each.changed)
    except RateLimitedError as error:
        sight.until = error.until
        raise

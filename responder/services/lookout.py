"""What is watched at a glance: how far, how late, what failed, what comes next, and the trend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.responder.domain.watched import DAYS, Source, Suspicion


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """A source that was not read, or not whole: for now, or (without ``tries``) for good."""

    subject: str
    why: str
    remedy: str
    tries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """One watch, or one of its sources.

    Everything up to ``as_of`` has been read, except for what failed; None: not yet. ``late`` is for
    how long news waits, or a look is overdue. ``found`` counts new credentials by day, oldest
    first.
    """

    watch: str
    what: str
    sources: int
    as_of: datetime | None
    waiting: int
    gone: int  # sources that their host lists no more
    late: timedelta
    next_at: datetime | None
    failures: tuple[Failure, ...]
    found: tuple[int, ...]
    suspicions: tuple[Suspicion, ...]

    @property
    def whole(self) -> bool:
        """Whether all was read, once at least."""
        return self.as_of is not None and not self.failures


def lookouts(
    watches: Mapping[str, str],
    sources: Iterable[Source],
    suspicions: Iterable[Suspicion],
    now: datetime,
) -> tuple[Lookout, ...]:
    """One for each watch, also those that nobody looked at; ``watches`` says what each is of."""
    of: dict[str, list[Source]] = {name: [] for name in watches}
    for source in sources:
        if source.watch in of:
            of[source.watch].append(source)
    doubts = tuple(suspicions)
    return tuple(_of(name, watches[name], found, doubts, now) for name, found in of.items())


def alone(source: Source, suspicions: Iterable[Suspicion], now: datetime) -> Lookout:
    """One source by itself."""
    return _of(source.watch, source.subject, [source], tuple(suspicions), now)


def _of(
    name: str,
    what: str,
    sources: Sequence[Source],
    suspicions: tuple[Suspicion, ...],
    now: datetime,
) -> Lookout:
    numbers = {source.id for source in sources}
    due = [source.due_at for source in sources if source.due_at is not None]
    return Lookout(
        watch=name,
        what=what,
        sources=len(sources),
        as_of=_as_of(what, sources),
        waiting=sum(source.noticed_at is not None for source in sources),
        gone=sum(_gone(source) and bool(source.gap) for source in sources),
        late=max((_late(source, now) for source in sources), default=timedelta()),
        next_at=min(due, default=None),
        failures=tuple(failure for source in sources for failure in _failures(source)),
        found=_found(sources, now),
        suspicions=tuple(each for each in suspicions if each.source in numbers),
    )


def _as_of(what: str, sources: Sequence[Source]) -> datetime | None:
    """What a host lists is read when it says that there is news: its list is as old as it is."""
    if not sources or any(source.looked_at is None and not _gone(source) for source in sources):
        return None
    first = [source for source in sources if source.subject == what] or sources
    return min(each.looked_at for each in first if each.looked_at is not None)


def _gone(source: Source) -> bool:
    return source.due_at is None


def _late(source: Source, now: datetime) -> timedelta:
    since = min(filter(None, (source.noticed_at, source.due_at)), default=now)
    return max(timedelta(), now - since)


def _failures(source: Source) -> Iterable[Failure]:
    if source.error:
        yield Failure(
            subject=source.subject, why=source.error, remedy=source.remedy, tries=source.tries
        )
    if source.gap and not (_gone(source) and source.looked_at is not None):
        yield Failure(subject=source.subject, why=source.gap, remedy="")


def _found(sources: Sequence[Source], now: datetime) -> tuple[int, ...]:
    days = [f"{now - timedelta(days=ago):%Y-%m-%d}" for ago in range(DAYS - 1, -1, -1)]
    return tuple(
        sum(n for source in sources if isinstance(n := source.found.get(day, 0), int))
        for day in days
    )

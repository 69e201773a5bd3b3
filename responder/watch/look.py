"""Looks at one source: reads what is new, takes in what is found, and then moves the cursor.

The order is the promise. What was found is an incident before the cursor is behind it, so a worker
that is killed anywhere leaves a source that is read again from the old cursor; what it then finds
is known, and changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from stanch.responder.domain.error import StanchError
from stanch.responder.domain.watched import (
    Source,
    SourceId,
    Suspicion,
    WatchStore,
    WatchTransaction,
)
from stanch.responder.telemetry.log import get_logger
from stanch.responder.watch.family import enter
from stanch.responder.watch.hold import Hold
from stanch.responder.watch.judge import CHANGED, UNREAD
from stanch.responder.watch.log import RUNS
from stanch.responder.watch.queue import IMAGE
from stanch.responder.watch.setting import Watched
from stanch.responder.watch.sight import Eye, News, Sight
from stanch.responder.watch.taking import MOST, Taking
from stanch.scanner.api import Gap, Match, ScannerError

log = get_logger(__name__)
FULL = timedelta(days=1)
"""How often a listed repository is read although its host says that nothing has changed."""

_LONGEST = 300  # characters of what is said of a failure


@dataclass(slots=True, kw_only=True)
class Outcome:
    """What has become of a look. Without a ``source`` nobody had to look, or somebody else does."""

    source: Source | None = None
    new: int = 0
    whole: bool = True
    error: str = ""


@dataclass(slots=True)
class _Gaps:
    """What was not read: for now, or for good."""

    now: list[Gap] = field(default_factory=list)
    good: list[Gap] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Looker:
    """Looks at sources. ``recorded`` is called when something new was taken in."""

    store: WatchStore
    watches: Mapping[str, Watched]
    eyes: Mapping[str, Eye]
    taking: Callable[[Source], Taking]
    recorded: Callable[[], None] = lambda: None

    def look(self, number: SourceId) -> Outcome:
        """Look now, if it is due and nobody else does. Raises nothing for what is wrong with it."""
        with Hold(self.store, number) as hold:
            if not hold.taken:
                return Outcome()
            with self.store.snapshot() as tx:
                source, now = tx.sources.get(number), tx.now()
            watched = self.watches.get(source.watch) if source else None
            if source is None or watched is None or source.due_at is None or source.due_at > now:
                return Outcome()
            return self._look(source, watched, hold, now)

    def _look(self, source: Source, watched: Watched, hold: Hold, now: datetime) -> Outcome:
        gaps, news = _Gaps(), list[News]()
        taking = self.taking(source)
        sight = Sight(results=iter(()), cursor=source.cursor)
        error, remedy = "", ""
        try:
            sight = self.eyes[source.kind].look(source, watched, now)
            taking.take(_matches(sight, gaps, news))
        except (StanchError, ScannerError) as failure:
            error, remedy = str(failure), failure.remedy
        except Exception as failure:
            # Whatever it is, the other sources are looked at; this one says that it failed.
            log.exception("look.crashed", watch=source.watch, source=source.id)
            error, remedy = f"internal error ({type(failure).__name__})", "look into the log"
        if error:  # what was found last may not have been taken in
            sight.cursor = source.cursor
        elif gaps.now:
            error, remedy = _why(gaps.now[0])
        if taking.new:
            self.recorded()
        seen = replace(
            source, error=error[:_LONGEST], remedy=remedy[:_LONGEST], gap=_beyond(gaps, taking)
        )
        with self.store.transaction() as tx:
            saved = (
                self._save(tx, seen, watched, sight, now, new=taking.new)
                if hold.keeps(tx)
                else None
            )
            if saved is not None:
                enter(tx, saved, watched, news, listed=sight.listed and not error)
                for suspicion in (
                    *taking.doubtful,
                    *_changed(source, sight, now),
                    *_unread(source, gaps.good, now),
                ):
                    tx.sources.suspect(suspicion)
        if saved is not None and not error:
            sight.done()
        return Outcome(source=saved, new=taking.new, whole=not error, error=error)

    def _save(
        self,
        tx: WatchTransaction,
        seen: Source,
        watched: Watched,
        sight: Sight,
        now: datetime,
        *,
        new: int,
    ) -> Source | None:
        """The source after the look; None when somebody else has looked since."""
        fresh = tx.sources.get(seen.id)
        if fresh is None or fresh.looked_at != seen.looked_at or fresh.cursor != seen.cursor:
            return None
        after = replace(
            fresh,
            cursor=sight.cursor,
            error=seen.error,
            remedy=seen.remedy,
            gap=seen.gap,
            found=fresh.counted(new, now),
            measured=sight.measured or fresh.measured,
        )
        told = fresh.wanted != seen.wanted  # while we looked
        if seen.error:
            pause = seen.pause(watched.every)
            due = max(tx.now() + pause, sight.until or now)
            after = replace(after, tries=fresh.tries + 1, due_at=due)
        else:
            rest = _rest(seen, watched)
            if rest is not None and sight.owes:
                rest = watched.every
            due_at = None if rest is None else now + rest
            if told or sight.more:
                due_at = tx.now()
            after = replace(after, tries=0, due_at=due_at, looked_at=now)
            after = replace(after, noticed_at=fresh.noticed_at if told else None)
        tx.sources.save(after)
        return after


def _changed(source: Source, sight: Sight, now: datetime) -> Iterator[Suspicion]:
    """What has suddenly changed in a stream: a person says whether it is an incident."""
    for reason in sight.shifts[:1]:  # one change has many numbers
        yield Suspicion(
            id=0,
            source=source.id,
            rule=CHANGED,
            place=f"{now:%Y-%m-%d}",  # a day of alarms is one question
            reason=f"it suddenly changed: {reason}",
            fingerprint=source.id,
            found_at=now,
        )


def _matches(sight: Sight, gaps: _Gaps, news: list[News]) -> Iterator[Match]:
    for each in sight.results:
        if isinstance(each, Match):
            yield each
        elif isinstance(each, News):
            news.append(each)
        elif each.incomplete:
            (gaps.good if each.lasting else gaps.now).append(each)


def _why(gap: Gap) -> tuple[str, str]:
    """What was not read and why, and what helps."""
    why, _, remedy = gap.why.removeprefix("not read: ").partition("; ")
    return (why if gap.path in why else f"{gap.path}: {why}"), remedy


def _rest(source: Source, watched: Watched) -> timedelta | None:
    """Until the next look when nobody says that there is news; None when there can be none."""
    if source.kind == IMAGE:
        return None  # by its digest: it never changes
    if source.kind == RUNS and source.noticed_at is not None:
        return watched.every  # a push begins runs a little later
    listed = source.subject != watched.subject
    return max(FULL, watched.every) if listed else watched.every


def _unread(source: Source, gaps: list[Gap], now: datetime) -> Iterator[Suspicion]:
    """What no look will read: a person knows of it, and says that it is known."""
    for gap in gaps[:MOST]:
        said = f"{gap.path}\0{gap.why}".encode("utf-8", "surrogateescape")
        yield Suspicion(
            id=0,
            source=source.id,
            rule=UNREAD,
            place=gap.path,
            reason=f"no look will read it: {gap.why}",
            fingerprint=hashlib.sha256(said).hexdigest()[:32],
            found_at=now,
        )


def _beyond(gaps: _Gaps, taking: Taking) -> str:
    """That there was more than is kept for a person."""
    left = taking.left + max(0, len(gaps.good) - MOST)
    return f"{left} more things for a person to judge were not kept" if left else ""

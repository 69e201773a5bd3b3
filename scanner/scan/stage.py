"""A scan under way: its stages, and what it has read so far."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.model.summary import Reached, ScanSummary
from stanch.scanner.scan.batch import Tally
from stanch.scanner.sources.source import Milestone

if TYPE_CHECKING:
    from stanch.scanner.sources.git.revisions import Selection

_NOW_AND_THEN = 0.1  # seconds: more often nobody can read how far a scan is


class Scan(Record, frozen=False):
    """A scan under way: iterate once. ``summary`` grows meanwhile and is final at the end."""

    _stages: tuple[Stage, ...]
    _clock: Callable[[], float]
    summary: ScanSummary = fresh(ScanSummary)
    tell: Callable[[Reached], None] | None = None  # called now and then
    covers: tuple[str, ...] = ()  # what was looked for, in words, where a target does not say it
    marks: list[str] = fresh(list)  # what has been read whole, see ``Milestone``

    def __iter__(self) -> Iterator[Match | Gap]:
        """Matches and gaps: the working tree first, then staged content, then history."""
        began = told = self._clock()
        for stage in self._stages:
            share: float | None = None
            with stage.open() as results:
                for result in results:
                    if isinstance(result, Milestone):
                        share = result.done / result.of if result.of else None
                        self.marks.extend(result.marks)
                        continue
                    self._count(result, blobs=stage.blobs)
                    if not isinstance(result, Tally):
                        yield result
                    elif self.tell is not None and self._clock() - told >= _NOW_AND_THEN:
                        self.tell(self._reached(stage, share))
                        told = self._clock()
            seconds, git = self._clock() - began, self.summary.git or stage.blobs
            self.summary = replace(self.summary, seconds=seconds, git=git)

    def _reached(self, stage: Stage, share: float | None) -> Reached:
        """``share`` is known of a history; of files their number is asked for, if it is wanted."""
        summary = self.summary
        return Reached(
            contents=summary.files + summary.blobs,
            size=summary.size,
            part="git" if stage.blobs else "files",
            share=(lambda: share) if stage.blobs else (lambda: stage.share(summary.files)),
        )

    def _count(self, result: Match | Gap | Tally, *, blobs: bool) -> None:
        was = self.summary
        match result:
            case Match():
                self.summary = replace(was, matches=was.matches + 1)
            case Gap(incomplete=True):
                self.summary = replace(was, incomplete=was.incomplete + 1)
            case Gap():
                self.summary = replace(was, skipped=was.skipped + 1)
            case Tally(contents=contents, size=size):
                blobs = blobs if result.blobs is None else result.blobs
                files, blob_count = (0, contents) if blobs else (contents, 0)
                self.summary = replace(
                    was,
                    files=was.files + files,
                    blobs=was.blobs + blob_count,
                    size=was.size + size,
                    git=was.git or blobs,
                )


class Asked(Record):
    """How a target is to be read: ``parts`` of matches for the vault, and which of its history."""

    parts: bool = True
    history: bool | None = None
    selection: Selection | None = None


Results = Iterator[Match | Gap | Tally | Milestone]


class Stage(Record):
    """One source of a scan, opened when its turn comes."""

    open: Callable[[], AbstractContextManager[Results]]
    blobs: bool
    count: Callable[[], int | None] = lambda: None

    def share(self, files: int) -> float | None:
        """How much of the stage so many files are; None when nobody knows."""
        whole = self.count()
        return min(1.0, files / whole) if whole else None

"""Scans a history: what is new in it, after what earlier scans found.

A secret that stays in a file through many versions is one finding: the place that introduced it.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import chain

from stanch.scanner.model.finding import Finding, Match
from stanch.scanner.model.fragment import Gap
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.scan.batch import Tally
from stanch.scanner.scan.engine import ScanEngine
from stanch.scanner.scan.history_cache import HistoryCache
from stanch.scanner.scan.pool import run
from stanch.scanner.sources.git.blob_reader import BASE
from stanch.scanner.sources.git.blobs import Blobs
from stanch.scanner.sources.git.commit_metadata import Authorship, placed
from stanch.scanner.sources.git.history import GitHistory
from stanch.scanner.sources.git.message import GitMessages
from stanch.scanner.sources.git.repository import Repository
from stanch.scanner.sources.git.revisions import EVERYTHING, Selection, existing, reachable, tips
from stanch.scanner.sources.source import Milestone

Found = Match | Gap | Tally | Milestone


class HistoryScan(Record, frozen=False):
    """One repository's history; ``cache`` is None when nothing is kept."""

    repository: Repository
    below: str
    cache: HistoryCache | None
    selection: Selection = EVERYTHING
    _findings: list[Finding] = fresh(list)
    _gaps: list[Gap] = fresh(list)
    _places: set[tuple[str, ...]] = fresh(set)

    def results(self, engine: ScanEngine, *, parts: bool, processes: int) -> Iterator[Found]:
        """Findings of earlier scans, then those in what is new; each place once."""
        known = yield from self._remembered()
        known = (*known, *existing(self.repository, self.selection.known))
        source = GitHistory(
            repository=self.repository,
            below=self.below,
            known=known,
            selection=self.selection,
            copies=engine.judges_by_path,
        )
        hidden: set[tuple[str, str]] = set()
        messages = GitMessages(repository=self.repository, commits=source.commits)
        authorship = Authorship(repository=self.repository)
        whole = True
        try:
            contents = run(source, engine, parts=parts, processes=processes)
            # Behind the contents, with which the commits are listed; a folder has no messages.
            written = () if self.below else run(messages, engine, parts=parts, processes=1)
            again = self._elsewhere(source, hidden, engine, parts=parts)
            for result in chain(contents, again, _without_tallies(written)):
                if isinstance(result, Match):
                    if result.finding.waiver is not None and result.finding.waiver.hides:
                        hidden.add((result.finding.path, result.finding.commit or ""))
                    if self._is_new(result.finding) and not _read_before(result.finding):
                        finding = authorship.completed(result.finding)
                        self._findings.append(finding)
                        yield replace(result, finding=finding)
                elif isinstance(result, Milestone):
                    if whole:
                        done = (oid.decode() for oid in source.commits[: result.done])
                        self._save((*known, *done))
                    yield result
                else:
                    whole = whole and not self._spoils(result)
                    yield result
        finally:
            authorship.close()
        if whole:
            yield self._whole(source)

    def _whole(self, source: GitHistory) -> Milestone:
        """All that there is was read: kept, and said to who keeps it."""
        if source.tips != list(source.known):
            self._save(source.tips)
        size = len(source.commits)
        return Milestone(done=size, of=size, marks=tuple(source.tips))

    def _elsewhere(
        self, source: GitHistory, hidden: set[tuple[str, str]], engine: ScanEngine, *, parts: bool
    ) -> Iterator[Found]:
        """What is hidden where a content came first, and not at another path of it."""
        blobs = list(source.elsewhere(hidden))
        if not blobs:
            return
        again = Blobs(
            repository=self.repository, blobs=blobs, places={each: placed(each) for each in blobs}
        )
        for result in _without_tallies(run(again, engine, parts=parts, processes=1)):
            waiver = result.finding.waiver if isinstance(result, Match) else None
            if waiver is None or not waiver.hides:
                yield result

    def _save(self, commits: Sequence[str]) -> None:
        if self.cache is not None:
            self.cache.save(commits, self._findings, self._gaps)

    def _remembered(self) -> Generator[Match | Gap, None, tuple[str, ...]]:
        """What earlier scans have found; returns the commits that they have read.

        It counts only while all that was found is part of the history: what stood at a branch that
        is gone may stand elsewhere too, where it was not reported again.
        """
        if self.cache is None:
            return ()
        known, findings, gaps = self.cache.load()
        now = [tip for tip in tips(self.repository) if isinstance(tip, str)]
        if not reachable(self.repository, known, now):
            found = tuple({finding.commit for finding in findings if finding.commit})
            if gaps or not reachable(self.repository, found, now):
                return ()
            known = tuple(existing(self.repository, known))
        if not known:
            return ()  # another repository at the same place
        self._findings.extend(findings)
        for finding in findings:
            self._is_new(finding)
            yield Match(finding=finding, parts={})
        self._gaps.extend(gaps)
        yield from gaps
        return known

    def _spoils(self, result: Gap | Tally) -> bool:
        """Whether the next scan has to read the same again."""
        if not isinstance(result, Gap) or not result.incomplete:
            return False
        if result.lasting:
            self._gaps.append(result)
        return not result.lasting

    def _is_new(self, finding: Finding) -> bool:
        """Whether no version of the file has shown it as clearly."""
        place = (finding.fingerprint, finding.path, finding.confidence, finding.severity)
        if place in self._places:
            return False
        self._places.add(place)
        return True


def _read_before(finding: Finding) -> bool:
    """Whether it is in the version from which only a later one is to be told apart."""
    place = finding.provenance
    return isinstance(place, InCommit) and place.commit == BASE


def _without_tallies(results: Iterable[Found]) -> Iterator[Found]:
    """Messages are not counted among the contents."""
    return (each for each in results if not isinstance(each, Tally))

"""Every blob that a history ever held, once, with the commit that introduced it.

They are read file by file, the oldest version first: git stores versions as differences to each
other, and of most versions only what is new has to be searched.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from itertools import islice
from operator import attrgetter

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git.blob_reader import BASE, Blob, BlobReader
from stanch.scanner.sources.git.commit_metadata import placed
from stanch.scanner.sources.git.diff_tree import HISTORY, introduced
from stanch.scanner.sources.git.repository import Repository
from stanch.scanner.sources.git.revisions import (
    EVERYTHING,
    Selection,
    listed,
    selected,
    tips,
)
from stanch.scanner.sources.hunk import Hunk
from stanch.scanner.sources.source import Milestone

SHALLOW = (
    "shallow clone: commits before the oldest fetched one are not here; fetch them with "
    "`git fetch --unshallow` (in a pipeline: fetch-depth: 0 or GIT_DEPTH: 0), or scan the files "
    "alone with --no-history"
)
_STRETCH = 65_536  # blobs: the longer, the more versions of a file meet
_BATCH = 256  # blobs at least: at its borders bases are unpacked, and versions searched, once more
_LONGEST = 8192  # at most, lest nobody sees for many seconds how far it is
_SHARE = 0.5  # of what is left, how much the processors together get at once


class GitHistory:
    """All blobs reachable from any ref or HEAD, but not from the commits that are ``known``.

    They come in stretches of the history, the oldest first. Memory grows with
    the number of commits and distinct blobs (about 100 bytes each), never with their size.
    ``below`` restricts to a directory (``"a/b/"``), and paths are then relative to it. Places have
    neither author nor time until :func:`authorship.completed` adds them. With ``copies`` it is
    remembered where else each content stands, at the price of a list for each.
    """

    def __init__(
        self,
        *,
        repository: Repository,
        below: str = "",
        known: Sequence[str] = (),
        selection: Selection = EVERYTHING,
        copies: bool = False,
    ) -> None:
        self.repository, self.below, self.known = repository, below, known
        self.selection = selection
        self.tips: list[str] = []
        self.commits: list[bytes] = []
        self._copies: dict[bytes, list[Blob]] | None = {} if copies else None
        self._at = 0  # the commit whose blobs are being listed
        self._reader = BlobReader(repository=repository, place=placed)

    def batches(self) -> Iterator[tuple[Blob, ...] | Gap | Milestone]:
        """Blobs by stretch of the history, and in each file by file."""
        blobs = self._blobs()
        while stretch := list(islice(blobs, _STRETCH)):
            yield from (each for each in stretch if isinstance(each, Gap))
            versions = [each for each in stretch if not isinstance(each, Gap)]
            yield from _shared(sorted(versions, key=attrgetter("path")))  # stable: the oldest first
            if len(stretch) == _STRETCH:
                yield Milestone(done=self._at, of=len(self.commits))

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Hunk | Gap]:
        """What each adds to the version before."""
        return self._reader.added(batch)

    def close(self) -> None:
        """End the reading git."""
        self._reader.close()

    def label(self, item: Blob) -> str:
        """Path and commit."""
        return item.where

    def _blobs(self) -> Iterator[Blob | Gap]:
        if self.repository.shallow:
            yield Gap(path=HISTORY, why=SHALLOW, incomplete=True)
        wanted = selected(self.repository, self.selection.branches)
        for tip in wanted if self.selection.branches else tips(self.repository):
            if isinstance(tip, Gap):
                yield tip
            else:
                self.tips.append(tip)
        for found in listed(self.repository, self.tips, self.known, self.selection.since):
            if isinstance(found, Gap):
                yield found
            else:
                self.commits.append(found)
        yield from self._versions()

    def _versions(self) -> Iterator[Blob | Gap]:
        """Contents not seen before."""
        seen: set[bytes] = set()
        paths: dict[bytes, str] = {}  # each once, however many versions have it
        for answer in introduced(self.repository, self.commits):
            if isinstance(answer, Gap):
                yield answer
                continue
            commit = answer[0].decode()
            for oid, path, before in answer[1]:
                if oid not in seen:
                    first = path not in paths
                    shown = paths.get(path) or paths.setdefault(path, display(path))
                    if first and self.selection.known and before.strip(b"0"):
                        yield Blob(before.decode(), shown.removeprefix(self.below), BASE)
                    if shown.startswith(self.below):  # elsewhere it may be known already
                        seen.add(oid)
                        blob = Blob(oid.decode(), shown.removeprefix(self.below), commit)
                        if self._copies is not None:
                            self._copies[oid] = [blob]
                        yield blob
                elif self._copies is not None:
                    self._copied(self._copies[oid], display(path), commit)
            self._at += 1

    def _copied(self, known: list[Blob], shown: str, commit: str) -> None:
        """Take note of a place where a content stands as well."""
        path = shown.removeprefix(self.below)
        if shown.startswith(self.below) and all(path != each.path for each in known):
            known.append(Blob(known[0].oid, path, commit))

    def elsewhere(self, places: Collection[tuple[str, str]]) -> Iterator[Blob]:
        """Where else the contents stand that were read at these places (path, commit)."""
        for first, *others in (self._copies or {}).values():
            if others and (first.path, first.commit) in places:
                yield from others


def _shared(versions: list[Blob]) -> Iterator[tuple[Blob, ...]]:
    """Long runs first, which have few borders, then ever shorter ones for whoever is done first."""
    processors = len(os.sched_getaffinity(0))
    while versions:
        size = min(_LONGEST, max(_BATCH, int(len(versions) * _SHARE / processors)))
        yield tuple(versions[:size])
        versions = versions[size:]

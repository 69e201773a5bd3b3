"""Every blob that a history ever held, once, with the commit that introduced it.

Versions are stored as differences to each other, and are read in the order in which neighbours are:
file by file in most packs, commit by commit in those that an import has written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import islice, pairwise
from operator import attrgetter

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.sources.authorship import placed
from stanch.scanner.sources.blob import Blob, BlobReader
from stanch.scanner.sources.commit import listed, tips
from stanch.scanner.sources.excerpt import Excerpt
from stanch.scanner.sources.introduced import HISTORY, introduced
from stanch.scanner.sources.pack import Packs
from stanch.scanner.sources.place import display
from stanch.scanner.sources.repository import Repository
from stanch.scanner.sources.source import Milestone

_STRETCH = 65_536  # blobs: the longer, the more versions of a file meet
_BATCH = 256  # blobs at least: at its borders bases are unpacked, and versions searched, once more
_LONGEST = 8192  # at most, lest nobody sees for many seconds how far it is
_BY_FILE = 0.5  # of what is left, how much the processors together get at once
_BY_COMMIT = 0.9  # whoever reads other commits in between finds more that is new in the next ones
_SAMPLE = 256  # neighbours that are looked up


class GitHistory:
    """All blobs reachable from any ref or HEAD, but not from the commits that are ``known``.

    They come in stretches of the history, the oldest first. Memory grows with
    the number of commits and distinct blobs (about 100 bytes each), never with their size.
    ``below`` restricts to a directory (``"a/b/"``), and paths are then relative to it. Places have
    neither author nor time until :func:`authorship.completed` adds them.
    """

    def __init__(
        self, *, repository: Repository, below: str = "", known: Sequence[str] = ()
    ) -> None:
        self.repository, self.below, self.known = repository, below, known
        self.tips: list[str] = []
        self.commits: list[bytes] = []
        self._at = 0  # the commit whose blobs are being listed
        self._reader = BlobReader(repository=repository, place=placed)

    def batches(self) -> Iterator[tuple[Blob, ...] | Gap | Milestone]:
        """Blobs by stretch of the history, and in each in the order that suits the packs."""
        blobs = self._blobs()
        while stretch := list(islice(blobs, _STRETCH)):
            yield from (each for each in stretch if isinstance(each, Gap))
            versions = [each for each in stretch if not isinstance(each, Gap)]
            yield from self._arranged(versions)
            if len(stretch) == _STRETCH:
                yield Milestone(done=self._at, of=len(self.commits))

    def _arranged(self, versions: list[Blob]) -> Iterator[tuple[Blob, ...]]:
        """By path or as they are, the oldest of each path first in any case."""
        by_path = sorted(versions, key=attrgetter("path"))  # stable
        packs = Packs(folder=self.repository.packs)
        try:
            imported = _related(packs, versions) > _related(packs, by_path)
        finally:
            packs.close()
        return _shared(versions, _BY_COMMIT) if imported else _shared(by_path, _BY_FILE)

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Excerpt | Gap]:
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
            why = "shallow clone: commits before the oldest fetched one are not in the repository"
            yield Gap(path=HISTORY, why=why, incomplete=False)
        for tip in tips(self.repository):
            if isinstance(tip, Gap):
                yield tip
            else:
                self.tips.append(tip)
        for found in listed(self.repository, self.tips, self.known):
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
            for oid, path in answer[1]:
                if oid not in seen:
                    seen.add(oid)
                    shown = paths.get(path) or paths.setdefault(path, display(path))
                    if shown.startswith(self.below):
                        yield Blob(oid.decode(), shown.removeprefix(self.below), commit)
            self._at += 1


def _shared(versions: list[Blob], part: float) -> Iterator[tuple[Blob, ...]]:
    """Long runs first, which have few borders, then ever shorter ones for whoever is done first."""
    processors = len(os.sched_getaffinity(0))
    while versions:
        size = min(_LONGEST, max(_BATCH, int(len(versions) * part / processors)))
        yield tuple(versions[:size])
        versions = versions[size:]


def _related(packs: Packs, versions: list[Blob]) -> int:
    """How many neighbours of a sample of the list are stored as a difference to each other."""
    step = 1 + len(versions) // _SAMPLE
    return sum(
        packs.related(one.oid, other.oid)
        for one, other in islice(pairwise(versions), 0, None, step)
    )

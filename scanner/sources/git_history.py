"""Every blob that a history ever held, once, with the commit that introduced it.

Versions are stored as differences to each other, and are read in the order in which neighbours are:
file by file in most packs, commit by commit in those that an import has written.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise
from operator import attrgetter

from scanner.model.fragment import Fragment, Gap
from scanner.sources.authorship import placed
from scanner.sources.blob import Blob, BlobReader
from scanner.sources.commit import listed, tips
from scanner.sources.excerpt import Excerpt
from scanner.sources.pack import Packs
from scanner.sources.place import display
from scanner.sources.repository import SUBMODULES, Repository, complaint, records, said, start
from scanner.sources.source import Milestone, batched

_HISTORY = "git history"
_COMMIT = b"\x1e"
_DIFF = (
    "diff-tree",
    "--stdin",
    "--raw",
    "-r",
    "-z",
    "-c",
    "--root",
    "--always",
    "--no-abbrev",
    "--no-renames",
    "--no-ext-diff",
    SUBMODULES,
    "--no-textconv",
    "--format=%x1e%H",
)
_SUBMODULE = b"160000"
_STRETCH = 65_536  # blobs: the longer, the more versions of a file meet
_BATCH = 256  # blobs: at its borders bases are unpacked, and versions searched, once more
_SHARES = 8  # parts of a stretch, where versions are read commit by commit
_SAMPLE = 256  # neighbours that are looked up
_RESTARTS = 64  # each costs a start of git; a repository with more broken commits is beyond repair


@dataclass(slots=True, kw_only=True)
class GitHistory:
    """All blobs reachable from any ref or HEAD, but not from the commits that are ``known``.

    They come in stretches of the history, the oldest first. Memory grows with
    the number of commits and distinct blobs (about 100 bytes each), never with their size.
    ``below`` restricts to a directory (``"a/b/"``), and paths are then relative to it. Places have
    neither author nor time until :func:`authorship.completed` adds them.
    """

    repository: Repository
    below: str = ""
    known: Sequence[str] = ()
    tips: list[str] = field(default_factory=list)
    commits: list[bytes] = field(default_factory=list)
    _at: int = 0  # the commit whose blobs are being listed
    _reader: BlobReader = field(init=False)

    def __post_init__(self) -> None:
        self._reader = BlobReader(repository=self.repository, place=placed)

    def batches(self) -> Iterator[tuple[Blob, ...] | Gap | Milestone]:
        """Blobs by stretch of the history, and in each in the order that suits the packs."""
        blobs = self._blobs()
        while stretch := list(islice(blobs, _STRETCH)):
            yield from (each for each in stretch if isinstance(each, Gap))
            versions = [each for each in stretch if not isinstance(each, Gap)]
            yield from self._arranged(versions)
            if len(stretch) == _STRETCH:
                yield Milestone(done=self._at, of=len(self.commits))

    def _arranged(self, versions: list[Blob]) -> Iterator[tuple[Blob, ...] | Gap]:
        """By path or as they are, the oldest of each path first in any case."""
        by_path = sorted(versions, key=attrgetter("path"))  # stable
        packs = Packs(folder=self.repository.packs)
        try:
            imported = _related(packs, versions) > _related(packs, by_path)
        finally:
            packs.close()
        if imported:
            # Whoever reads other commits in between finds more that is new in the next versions.
            return batched(versions, max(_BATCH, len(versions) // _SHARES))
        return batched(by_path, _BATCH)

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
            yield Gap(path=_HISTORY, why=why, incomplete=False)
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
        if not self.commits:
            return
        commits = self.commits
        seen: set[bytes] = set()
        for _ in range(_RESTARTS):
            done = yield from self._introduced(commits, seen)
            if done == len(commits):
                return
            # An unreadable commit or tree ends git; go on behind it.
            commits = commits[done + 1 :]
        yield Gap(path=_HISTORY, why="too many broken commits, gave up", incomplete=True)

    def _introduced(
        self, commits: list[bytes], seen: set[bytes]
    ) -> Generator[Blob | Gap, None, int]:
        """Blobs not seen before; returns how many of the commits were readable from the start."""
        git = start(self.repository, *_DIFF, feed=b"\n".join((*commits, b"")))
        done = 0
        with git:
            for commit, oid, path in changes(records(git)):
                if commit != commits[done]:
                    done = commits.index(commit, done)
                    self._at = len(self.commits) - len(commits) + done
                if oid is not None and oid not in seen:
                    seen.add(oid)
                    shown = display(path)
                    if shown.startswith(self.below):
                        yield Blob(oid.decode(), shown.removeprefix(self.below), commit.decode())
        if git.returncode == 0:
            return len(commits)
        complained = said(complaint(self.repository, _DIFF[0]))
        yield Gap(path=_HISTORY, why=f"broken commit or tree: {complained}", incomplete=True)
        return done


def _related(packs: Packs, versions: list[Blob]) -> int:
    """How many neighbours of a sample of the list are stored as a difference to each other."""
    step = 1 + len(versions) // _SAMPLE
    return sum(
        packs.related(one.oid, other.oid)
        for one, other in islice(pairwise(versions), 0, None, step)
    )


def changes(tokens: Iterator[bytes]) -> Iterator[tuple[bytes, bytes | None, bytes]]:
    """Each commit with no object id first, then each content it introduced with its path.

    The stream is: mark and commit id, then for each change its modes and ids (a
    merge has those of every parent, and names only content that no parent has) and its path.
    """
    commit = b""
    for token in tokens:
        if token.startswith(_COMMIT):
            commit = token[1:]
            yield commit, None, b""
        elif commit and (change := token.removeprefix(b"\n")).startswith(b":"):
            path = next(tokens, None)
            if path is None:
                return  # git has died
            parents = len(change) - len(change.lstrip(b":"))
            fields = change.lstrip(b":").split()
            mode, oid = fields[parents], fields[2 * parents + 1]
            if mode != _SUBMODULE and oid.strip(b"0"):
                yield commit, oid, path

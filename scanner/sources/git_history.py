"""Every blob that a history ever held, once, with the commit that introduced it."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from scanner.model.fragment import Fragment, Gap
from scanner.model.provenance import InCommit
from scanner.sources.blob import Blob, BlobReader
from scanner.sources.commit import listed
from scanner.sources.place import display
from scanner.sources.repository import Repository, complaint, records, said, start
from scanner.sources.source import batched

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
    "--no-textconv",
    "--encoding=UTF-8",
    "--format=%x1e%H%x00%an <%ae>%x00%ct",
)
_SUBMODULE = b"160000"
_RESTARTS = 64  # each costs a start of git; a repository with more broken commits is beyond repair


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commit:
    """A commit as git prints it."""

    oid: bytes
    author: bytes
    time: bytes  # seconds since 1970, of the committer

    def blob(self, oid: bytes, path: str) -> Blob:
        """A blob that this commit introduced."""
        return Blob(
            oid=oid.decode(),
            provenance=InCommit(
                path=path,
                commit=self.oid.decode(),
                author=self.author.decode("utf-8", "replace"),
                committed_at=_instant(self.time),
            ),
        )


@dataclass(slots=True, kw_only=True)
class GitHistory:
    """All blobs reachable from any ref or HEAD, oldest commit first.

    Memory grows with the number of commits and distinct blobs (about 100 bytes each), never with
    their size. ``below`` restricts to a directory (``"a/b/"``), and paths are then relative to it.
    """

    repository: Repository
    below: str = ""
    _reader: BlobReader = field(init=False)

    def __post_init__(self) -> None:
        self._reader = BlobReader(repository=self.repository)

    def batches(self) -> Iterator[tuple[Blob, ...] | Gap]:
        """Blobs by introducing commit."""
        return batched(self._blobs())

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Gap]:
        """Their content."""
        return self._reader.read(batch)

    def close(self) -> None:
        """End the reading git."""
        self._reader.close()

    def label(self, item: Blob) -> str:
        """Path and commit."""
        return display(item.provenance.path)

    def _blobs(self) -> Iterator[Blob | Gap]:
        if self.repository.shallow:
            why = "shallow clone: commits before the oldest fetched one are not in the repository"
            yield Gap(path=_HISTORY, why=why, incomplete=False)
        commits: list[bytes] = []
        for found in listed(self.repository):
            if isinstance(found, Gap):
                yield found
            else:
                commits.append(found)
        commits.reverse()
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
            for commit, oid, path in _changes(records(git)):
                if commit.oid != commits[done]:
                    done = commits.index(commit.oid, done)
                if oid is not None and oid not in seen:
                    seen.add(oid)
                    shown = display(path)
                    if shown.startswith(self.below):
                        yield commit.blob(oid, shown.removeprefix(self.below))
        if git.returncode == 0:
            return len(commits)
        complained = said(complaint(self.repository, _DIFF[0]))
        yield Gap(path=_HISTORY, why=f"broken commit or tree: {complained}", incomplete=True)
        return done


def _changes(tokens: Iterator[bytes]) -> Iterator[tuple[_Commit, bytes | None, bytes]]:
    """Each commit with no object id first, then each content it introduced with its path.

    The stream is: mark and commit id, author, time, then for each change its modes and ids (a
    merge has those of every parent, and names only content that no parent has) and its path.
    """
    commit: _Commit | None = None
    for token in tokens:
        if token.startswith(_COMMIT):
            commit = _Commit(oid=token[1:], author=next(tokens), time=next(tokens))
            yield commit, None, b""
        elif commit is not None and (change := token.removeprefix(b"\n")).startswith(b":"):
            path = next(tokens)
            parents = len(change) - len(change.lstrip(b":"))
            fields = change.lstrip(b":").split()
            mode, oid = fields[parents], fields[2 * parents + 1]
            if mode != _SUBMODULE and oid.strip(b"0"):
                yield commit, oid, path


def _instant(seconds: bytes) -> datetime:
    """UTC; what a forged commit may claim outside of the calendar becomes 1970."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return datetime.fromtimestamp(0, UTC)

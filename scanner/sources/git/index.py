"""What would be committed: content in the index that HEAD does not have at that path."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InIndex
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git.blob_reader import Blob, BlobReader
from stanch.scanner.sources.git.bounded_process import Git
from stanch.scanner.sources.git.repository import (
    SUBMODULES,
    Repository,
    records,
    start,
    why,
)
from stanch.scanner.sources.source import batched

_SUBMODULE = b"160000"


class Staged:
    """The index against HEAD, by path. ``below`` restricts to a directory (``"a/b/"``)."""

    def __init__(self, *, repository: Repository, below: str = "") -> None:
        self.repository, self.below = repository, below
        self._reader = BlobReader(repository=repository, place=_place)

    def batches(self) -> Iterator[tuple[Blob, ...] | Gap]:
        """New and changed files."""
        return batched(self._blobs())

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Gap]:
        """Their staged content."""
        return self._reader.read(batch)

    def close(self) -> None:
        """End the reading git."""
        self._reader.close()

    def label(self, item: Blob) -> str:
        """The path."""
        return item.path

    def _blobs(self) -> Iterator[Blob | Gap]:
        command = ("diff-index", "--cached", "--raw", "-z", "--no-abbrev", "--no-renames")
        git = start(self.repository, *command, "--no-ext-diff", SUBMODULES, self._head(), "--")
        with git:
            tokens = records(git)
            for change in tokens:
                if (raw := next(tokens, None)) is None:
                    break  # git has died
                path = display(raw)
                _, mode, _, oid, _ = change.lstrip(b":").split()
                if mode != _SUBMODULE and oid.strip(b"0") and path.startswith(self.below):
                    yield Blob(oid=oid.decode(), path=path.removeprefix(self.below))
        if git.failed:
            what = f"the index cannot be read: {why(self.repository, git, command[0])}"
            yield Gap(path="git index", why=what, incomplete=True)

    def _head(self) -> str:
        """HEAD, or the empty tree before the first commit."""
        git = start(self.repository, "rev-parse", "--verify", "--quiet", "HEAD^{tree}")
        found = _answer(git)
        if not git.failed:
            return found
        return _answer(start(self.repository, "hash-object", "-t", "tree", "--stdin"))


def _answer(git: Git) -> str:
    """What it says; when it failed, whoever uses the answer fails with it."""
    with git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        return git.stdout.read().strip().decode()


def _place(blob: Blob) -> InIndex:
    return InIndex(path=blob.path)

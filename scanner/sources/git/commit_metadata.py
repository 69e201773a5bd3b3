"""Who committed what and when: read for the commits of findings only, through GitPython.

Its pure-Python object database runs no program. What it cannot read (SHA-256 repositories) is asked
of git, like all content.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from stanch.scanner.model.finding import Finding
from stanch.scanner.model.provenance import InCommit
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.sources.git.blob_reader import Blob
from stanch.scanner.sources.git.repository import Repository, records, start

if TYPE_CHECKING:
    from git import Repo  # loaded late: most scans need no git at all

_NO_GIT = {"GIT_PYTHON_REFRESH": "quiet", "GIT_PYTHON_GIT_EXECUTABLE": os.devnull}
_UNKNOWN = datetime.fromtimestamp(0, UTC)
_FORMAT = "--format=%an <%ae>%x00%ct%x00"


def placed(blob: Blob) -> InCommit:
    """Where a blob was introduced, without author and time, which only findings need."""
    return InCommit(path=blob.path, commit=blob.commit, author="", committed_at=_UNKNOWN)


class Authorship(Record, frozen=False):
    """Authors and times of one repository's commits, each read once."""

    repository: Repository
    _repo: Repo | None = None
    _known: dict[str, tuple[str, datetime]] = fresh(dict)

    def completed(self, finding: Finding) -> Finding:
        """The finding with its commit's author and time."""
        place = finding.provenance
        if not isinstance(place, InCommit):
            return finding
        known = self._known.get(place.commit)
        if known is None:
            known = self._known[place.commit] = self._read(place.commit)
        return replace(finding, provenance=replace(place, author=known[0], committed_at=known[1]))

    def close(self) -> None:
        """Release the packs that were opened."""
        if self._repo is not None:
            self._repo.close()

    def _read(self, oid: str) -> tuple[str, datetime]:
        try:
            if self._repo is None:
                self._repo = _opened(self.repository)
            commit = self._repo.commit(oid)
            return f"{commit.author.name} <{commit.author.email}>", instant(commit.committed_date)
        except Exception:  # noqa: BLE001  # a parser of foreign bytes; git itself is asked instead
            return self._asked(oid)

    def _asked(self, oid: str) -> tuple[str, datetime]:
        argv = ("show", "-s", "--no-show-signature", "--encoding=UTF-8", _FORMAT, oid, "--")
        with start(self.repository, *argv) as git:
            found = list(records(git))
        if git.failed or len(found) < 2:  # noqa: PLR2004  # author and time
            return "", _UNKNOWN
        return found[0].decode("utf-8", "replace"), instant(found[1])


def _opened(repository: Repository) -> Repo:
    """GitPython's view of our private git directory, whatever GIT_DIR and its like say."""
    with _without_git_variables():
        from git import Repo  # noqa: PLC0415  # see TYPE_CHECKING
        from git.db import GitDB  # noqa: PLC0415

        return Repo(repository.shadow, odbt=GitDB)


@contextmanager
def _without_git_variables() -> Iterator[None]:
    """GitPython reads GIT_DIR, GIT_OBJECT_DIRECTORY and more from the environment: not ours.

    It would also ask a git for its version when it is loaded; it gets none to run.
    """
    taken = {name: os.environ.pop(name) for name in list(os.environ) if name.startswith("GIT_")}
    os.environ.update(_NO_GIT)
    try:
        yield
    finally:
        for name in _NO_GIT:
            del os.environ[name]
        os.environ.update(taken)


def instant(seconds: bytes | int) -> datetime:
    """UTC; what a forged commit may claim outside of the calendar becomes 1970."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        return _UNKNOWN

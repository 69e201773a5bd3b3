"""Opens the repository that a hook or a job runs in, as git set it up for this very moment."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.model.record import replace
from stanch.scanner.sources.git.bounded_process import CHANGE
from stanch.scanner.sources.git.discovery import enclosing
from stanch.scanner.sources.git.repository import Repository, complaint, opened, said, start
from stanch.scanner.sources.git.repository import why as why_failed

_INDEX = "GIT_INDEX_FILE"
_OBJECTS = "GIT_OBJECT_DIRECTORY"
_ALTERNATES = "GIT_ALTERNATE_OBJECT_DIRECTORIES"


@contextmanager
def checkout(place: Path, environ: Mapping[str, str]) -> Iterator[Repository]:
    """The repository around ``place``, with the index and the object store that git names.

    ``git commit -a`` and ``git commit FILE`` prepare another index than ``.git/index``, and a push
    that is not accepted yet lies in a quarantine (git-receive-pack(1)): git says so in variables,
    with paths that may be relative to the current directory.
    """
    layout = enclosing(place.resolve())
    if layout is None:
        raise UsageError(
            "this is not a git repository", remedy="run it in a repository, or see `stanch scan`"
        )
    with opened(layout, wary=False, bounds=CHANGE) as repository:
        yield replace(repository, environment=repository.environment | _given(environ, place))


def lines(repository: Repository, *arguments: str, feed: bytes | None = None) -> list[str] | None:
    """What a git command prints, line by line; None when it fails (see :func:`why`)."""
    git = start(repository, *arguments, feed=feed)
    with git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        out = git.stdout.read()
    return out.decode("utf-8", "replace").splitlines() if not git.failed else None


def why(repository: Repository, command: str) -> str:
    """What git complained about when :func:`lines` answered None."""
    return said(complaint(repository, command))


def has_commit(repository: Repository, name: str) -> bool:
    """Whether the name (an id, a ref) leads to a commit that this repository holds."""
    return commit_id(repository, name) is not None


def commit_id(repository: Repository, name: str) -> str | None:
    """The id of the commit that a name leads to; None when the repository does not hold it."""
    # From standard input: a name that begins with a dash must not become an option.
    feed = f"{name}^{{commit}}\n".encode()
    found = lines(repository, "cat-file", "--batch-check=%(objectname) %(objecttype)", feed=feed)
    oid, _, kind = (found or [""])[0].partition(" ")
    return oid if kind == "commit" else None


def content(repository: Repository, commit: str, path: str, *, most: int) -> bytes | None:
    """A file as a commit has it; None when it is no file there. ``most`` bytes are read."""
    feed = f"{commit}:{path}\n".encode()
    with start(repository, "cat-file", "--batch", feed=feed) as git:
        assert git.stdout is not None  # noqa: S101  # a pipe was asked for
        header = git.stdout.readline().split()
        size = int(header[2]) if header[1:2] == [b"blob"] else None
        if size is not None and size > most:
            raise UsageError(
                f"{path} of {commit[:12]} is larger than {most >> 20} MiB",
                remedy="restore the file from git",
            )
        data = None if size is None else git.stdout.read(size + 1)[:size]  # to its line feed
    if git.failed or not header or (data is not None and len(data) != size):
        raise SourceError(
            f"{path} of {commit[:12]} cannot be read: {why_failed(repository, git, 'cat-file')}",
            remedy="check the repository with `git fsck`",
        )
    return data


def _given(environ: Mapping[str, str], place: Path) -> dict[str, str]:
    given = {}
    for name in (_INDEX, _OBJECTS):
        if path := environ.get(name):
            given[name] = str(place / path)
    if paths := environ.get(_ALTERNATES):
        given[_ALTERNATES] = os.pathsep.join(str(place / p) for p in paths.split(os.pathsep))
    return given

"""Single questions to a repository: a commit's id, a file as a commit has it, a command's lines."""

from __future__ import annotations

from collections.abc import Iterable

from stanch.scanner.model.error import SourceError, UsageError
from stanch.scanner.sources.git.repository import Repository, complaint, said, start
from stanch.scanner.sources.git.repository import why as why_failed


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


def commit_id(repository: Repository, name: str) -> str | None:
    """The id of the commit that a name leads to; None when the repository does not hold it."""
    # From standard input: a name that begins with a dash must not become an option.
    feed = f"{name}^{{commit}}\n".encode()
    found = lines(repository, "cat-file", "--batch-check=%(objectname) %(objecttype)", feed=feed)
    oid, _, kind = (found or [""])[0].partition(" ")
    return oid if kind == "commit" else None


def first_commit(repository: Repository, names: Iterable[str]) -> str | None:
    """The commit of the first of the names that leads to one."""
    return next(filter(None, (commit_id(repository, name) for name in names)), None)


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
        if data is None:
            git.stdout.read(most)  # a folder, perhaps
    if git.failed or not header or (data is not None and len(data) != size):
        raise SourceError(
            f"{path} of {commit[:12]} cannot be read: {why_failed(repository, git, 'cat-file')}",
            remedy="check the repository with `git fsck`",
        )
    return data


def files_in(repository: Repository, commit: str, folder: str) -> list[str]:
    """The names in a folder as a commit has it; none when it is no folder there."""
    # An id comes first, so none of it can be taken for an option.
    return lines(repository, "ls-tree", "--name-only", f"{commit}:{folder}") or []

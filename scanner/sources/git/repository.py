"""Opens other people's git repositories without believing anything their configuration says.

Git runs programs that a repository's own ``.git/config`` names (``core.fsmonitor``,
``diff.external``, ``filter.*``, ``gpg.program``, ``remote.*.uploadpack`` and more), and no option
turns that file off: a list of overrides is never complete. So git never sees it here. It gets a
private git directory, with a configuration of ours, that links to the repository's objects, refs
and index (the layout of git's own ``git-new-workdir``) and knows no hooks and no remotes.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import IO

from stanch.scanner.model.error import SourceError
from stanch.scanner.model.record import Record, replace
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.git import private_git_dir as private
from stanch.scanner.sources.git.blocking_file import obstacle
from stanch.scanner.sources.git.bounded_process import Git
from stanch.scanner.sources.git.bounds import SCAN, Bounds
from stanch.scanner.sources.git.discovery import Layout

SUBMODULES = "--ignore-submodules=all"
"""For every git that compares. Without it git reads .gitmodules, and dies of one that wants to run
something (CVE-2019-19604) before it has compared anything."""

MOST_RECORDS = 20_000_000
_BLOCK = 64 << 10


class Repository(Record):
    """An opened repository: run git in it with :meth:`argv` and :attr:`environment`."""

    layout: Layout
    shadow: Path
    environment: dict[str, str]
    bounds: Bounds = SCAN

    @property
    def shallow(self) -> bool:
        """Whether older history was never fetched."""
        return (self.layout.common_dir / "shallow").exists()

    def argv(self, *arguments: str) -> list[str]:
        """The command line of a git command that sees only our configuration."""
        top = self.layout.top
        return private.command(str(self.shadow), str(top) if top else None, *arguments)


@contextmanager
def opened(layout: Layout, *, wary: bool = True, bounds: Bounds = SCAN) -> Iterator[Repository]:
    """The repository behind a private git directory that is removed at the end.

    Without being ``wary`` a repository is taken in which git has run already, as it has where it
    calls a hook.
    """
    if wary and (found := obstacle(layout)) is not None:
        raise SourceError(
            f"the repository holds `{display(found)}`, for which git would wait for ever",
            remedy="remove it: it is a named pipe, a device or a socket, and no part of git's",
        )
    git_dir = str(layout.git_dir)
    shadow = private.made(git_dir, str(layout.common_dir))
    try:
        surroundings = private.environment(shadow, git_dir)
        yield Repository(
            layout=layout, shadow=Path(shadow), environment=surroundings, bounds=bounds
        )
    finally:
        private.removed(shadow)


OVERDRAWN = "git needs more memory than any real project takes"
"""What is wrong where a few kilobytes list more paths, or unpack to more, than there can be."""


def why(repository: Repository, git: Git, name: str) -> str:
    """Why a git of that name has failed, for a message."""
    if git.objection:
        return git.objection
    text = said(complaint(repository, name))
    return OVERDRAWN if "out of memory" in text.lower() else text


def said(stderr: bytes) -> str:
    """What git complained about, for a message: the last line, without control characters."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    text = "".join(c if c.isprintable() else "?" for c in (lines[-1] if lines else "git failed"))
    return text[:200]


def start(
    repository: Repository,
    *arguments: str,
    feed: bytes | None = None,
    talk: bool = False,
    cwd: Path | None = None,
    name: str = "",
    data: int | None = None,
) -> Git:
    """A running git whose output is read as it comes; its complaints go to a temporary file.

    Its input is ``feed``, or a pipe to ``talk`` to, or nothing. Outside strings belong into the
    input, where they cannot be taken for options. Of several that run the same command at once,
    each has a ``name``, by which :func:`complaint` knows it. With ``data`` it may have no more
    memory than that.
    """
    bounds = repository.bounds
    if data is not None:
        bounds = replace(bounds, data=min(data, bounds.data))
    try:
        # A pipe for complaints that nobody reads meanwhile would block git; a file does not.
        with (
            _complaints(repository, name or arguments[0]).open("wb") as complaints,
            _food(repository, feed or b"") as food,
        ):
            return Git(
                repository.argv(*arguments),
                bounds=bounds,
                stdin=subprocess.PIPE if talk else food,
                stderr=complaints,
                env=repository.environment,
                cwd=cwd or repository.shadow,
            )
    except FileNotFoundError as error:
        raise SourceError(
            "git is not installed, and the target is a git repository",
            remedy="install git, or scan with --no-history a directory that is not a repository",
        ) from error


def records(git: Git, most: int = MOST_RECORDS) -> Iterator[bytes]:
    """The NUL-terminated records that a running git writes, as they come.

    What has no NUL behind it was cut off when git died, and is left out: see :attr:`Git.failed`.
    Behind ``most`` of them git is ended, as if it had failed.
    """
    assert isinstance(git.stdout, BufferedReader)  # noqa: S101  # see Git
    rest = b""
    while block := git.stdout.read1(_BLOCK):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole
        most -= len(whole)
        if most < 0:
            git.cut()
            return


def complaint(repository: Repository, name: str) -> bytes:
    """What the last git of that name, started by this process, wrote to its standard error.

    Without one it goes by its command.
    """
    return _complaints(repository, name).read_bytes()


def _complaints(repository: Repository, name: str) -> Path:
    return repository.shadow / f"stderr-{os.getpid()}-{name}"


def _food(repository: Repository, feed: bytes) -> IO[bytes]:
    """What git is to read, in a file without a name."""
    path = repository.shadow / f"food-{os.urandom(8).hex()}"
    food = path.open("w+b")
    path.unlink()
    food.write(feed)
    food.seek(0)
    return food

"""Opens other people's git repositories without believing anything their configuration says.

Git runs programs that a repository's own ``.git/config`` names (``core.fsmonitor``,
``diff.external``, ``filter.*``, ``gpg.program``, ``remote.*.uploadpack`` and more), and no option
turns that file off: a list of overrides is never complete. So git never sees it here. It gets a
private git directory, with a configuration of ours, that links to the repository's objects, refs
and index (the layout of git's own ``git-new-workdir``) and knows no hooks and no remotes.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from scanner.model.error import SourceError
from scanner.sources.layout import Layout
from scanner.sources.pipe import obstacle
from scanner.sources.place import display

_LINKED = ("objects", "refs", "packed-refs", "shallow")
_PASSED = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
_SHA256 = re.compile(rb"^\s*objectformat\s*=\s*\"?sha256", re.IGNORECASE | re.MULTILINE)
_REFTABLE = re.compile(rb"^\s*refstorage\s*=\s*\"?reftable", re.IGNORECASE | re.MULTILINE)
_BLOCK = 64 << 10
_LARGEST = 1 << 20  # bytes of HEAD or a configuration that are looked at


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """An opened repository: run git in it with :meth:`argv` and :attr:`environment`."""

    layout: Layout
    shadow: Path
    environment: dict[str, str]

    @property
    def shallow(self) -> bool:
        """Whether older history was never fetched."""
        return (self.layout.common_dir / "shallow").exists()

    def argv(self, *arguments: str) -> list[str]:
        """The command line of a git command that sees only our configuration."""
        work_tree = [f"--work-tree={self.layout.top}"] if self.layout.top else []
        return ["git", "--no-pager", f"--git-dir={self.shadow}", *work_tree, *arguments]


@contextmanager
def opened(layout: Layout, *, wary: bool = True) -> Iterator[Repository]:
    """The repository behind a private git directory that is removed at the end.

    Without being ``wary`` a repository is taken in which git has run already, as it has where it
    calls a hook.
    """
    if wary and (found := obstacle(layout)) is not None:
        raise SourceError(
            f"the repository holds `{display(found)}`, for which git would wait for ever",
            remedy="remove it: it is a named pipe, a device or a socket, and no part of git's",
        )
    shadow = Path(tempfile.mkdtemp(prefix="stanch-git-"))
    try:
        _furnish(shadow, layout)
        yield Repository(layout=layout, shadow=shadow, environment=_environment(shadow, layout))
    finally:
        shutil.rmtree(shadow, ignore_errors=True)


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
) -> subprocess.Popen[bytes]:
    """A running git whose output is read as it comes; its complaints go to a temporary file.

    Its input is ``feed``, or a pipe to ``talk`` to, or nothing. Outside strings belong into the
    input, where they cannot be taken for options.
    """
    try:
        # A pipe for complaints that nobody reads meanwhile would block git; a file does not.
        with (
            _complaints(repository, arguments[0]).open("wb") as complaints,
            tempfile.TemporaryFile(dir=repository.shadow) as food,
        ):
            food.write(feed or b"")
            food.seek(0)
            return subprocess.Popen(
                repository.argv(*arguments),
                stdin=subprocess.PIPE if talk else food,
                stdout=subprocess.PIPE,
                stderr=complaints,
                env=repository.environment,
                cwd=cwd or repository.shadow,
            )
    except FileNotFoundError as error:
        raise SourceError(
            "git is not installed, and the target is a git repository",
            remedy="install git, or scan with --no-history a directory that is not a repository",
        ) from error


def records(git: subprocess.Popen[bytes], *, patience: float | None = None) -> Iterator[bytes]:
    """The NUL-terminated records that a running git writes, as they come.

    What has no NUL behind it was cut off when git died, and is left out: see its return code.
    After ``patience`` seconds of silence git is ended, as if it had failed.
    """
    if git.stdout is None:
        raise ValueError("this git was started without a pipe")
    rest = b""
    while block := _block(git, patience):
        *whole, rest = (rest + block).split(b"\0")
        yield from whole


def _block(git: subprocess.Popen[bytes], patience: float | None) -> bytes:
    assert git.stdout is not None  # noqa: S101  # see records
    if patience is not None and not select.select([git.stdout], [], [], patience)[0]:
        git.kill()
    return os.read(git.stdout.fileno(), _BLOCK)


def complaint(repository: Repository, command: str) -> bytes:
    """What the last git of that name, started by this process, wrote to its standard error."""
    return _complaints(repository, command).read_bytes()


def _complaints(repository: Repository, command: str) -> Path:
    return repository.shadow / f"stderr-{os.getpid()}-{command}"


def _furnish(shadow: Path, layout: Layout) -> None:
    for name in _LINKED:
        target = layout.common_dir / name
        if target.exists():
            (shadow / name).symlink_to(target)
    for shared in layout.git_dir.glob("sharedindex.*"):
        (shadow / shared.name).symlink_to(shared)
    (shadow / "info").mkdir()
    exclude = layout.common_dir / "info" / "exclude"
    if exclude.is_file():
        (shadow / "info" / "exclude").symlink_to(exclude)
    try:
        (shadow / "HEAD").write_bytes(_head_of(layout.git_dir / "HEAD"))
        theirs = _head_of(layout.common_dir / "config")
    except FileNotFoundError:
        theirs = b""
    except OSError as error:
        raise SourceError(
            f"the repository {layout.git_dir} cannot be read: {error.strerror}",
            remedy="run as a user who may read it",
        ) from error
    if _REFTABLE.search(theirs):
        raise SourceError(
            "the repository keeps its refs in a reftable, which is not supported",
            remedy="scan a clone made with `git clone --ref-format=files`",
        )
    (shadow / "config").write_text(_configuration(sha256=bool(_SHA256.search(theirs))))


def _head_of(path: Path) -> bytes:
    """The beginning of a file, which is all of every honest one."""
    with path.open("rb") as file:
        return file.read(_LARGEST)


def _configuration(*, sha256: bool) -> str:
    version = "1\n[extensions]\n\tobjectFormat = sha256" if sha256 else "0"
    return (
        f"[core]\n\trepositoryFormatVersion = {version}\n"
        "[core]\n\tbare = false\n\tfsmonitor = false\n\thooksPath = /dev/null\n"
        "\tquotePath = false\n\tcommitGraph = false\n"
        # Histories are read file by file: the versions' common bases are worth more than the pack.
        "\tpackedGitWindowSize = 8m\n\tpackedGitLimit = 32m\n\tdeltaBaseCacheLimit = 224m\n"
        "[protocol]\n\tallow = never\n[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n"
    )


def _environment(shadow: Path, layout: Layout) -> dict[str, str]:
    """Of ours only the search path: no user's or system's configuration, prompt or network."""
    return {name: os.environ[name] for name in _PASSED if name in os.environ} | {
        "HOME": str(shadow),
        "LC_ALL": "C",
        "GIT_INDEX_FILE": str(layout.git_dir / "index"),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "none",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_CEILING_DIRECTORIES": str(shadow.parent),
    }

"""Lists the files of a working tree as git sees them: tracked, or new and not ignored."""

from __future__ import annotations

import os
import re
import signal
import stat
from collections.abc import Generator, Iterator
from pathlib import Path

from stanch.scanner.model.error import SourceError
from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.files.gitignore_walk import Nested, walk
from stanch.scanner.sources.files.special_file import odd
from stanch.scanner.sources.git.discovery import Layout, at

PATIENCE = 60.0
"""Seconds that git may be silent while it lists: some, where a tree is very large. But it opens
whatever is called .gitignore, and would wait for a named pipe for ever."""


_DEEPEST = 40  # repositories within each other; each holds a git while it is listed
#: What git writes into no index of its own: nothing, `.`, `..`, from the root, two slashes.
_STRAY = re.compile(r"(?:^|/)(?:\.{1,2}(?:/|$)|/)|^$")


def listing(
    root: Path, prefix: str, layout: Layout | None, *, depth: int = 0
) -> Iterator[str | Gap]:
    """Paths below ``root``, each with the prefix that leads to it from the scanned root."""
    if depth > _DEEPEST:
        why = f"repositories nested deeper than {_DEEPEST}"
        yield Gap(path=display(prefix), why=why, incomplete=True)
        return
    if layout is None or layout.top is None or _is_ignored(root, layout):
        yield from _walked(root, prefix, depth)
        return
    try:
        listed = yield from _asked(root, prefix, layout, depth)
    except SourceError as error:
        yield Gap(path=display(prefix) or ".", why=f"git cannot list it: {error}", incomplete=True)
        listed = False
    if not listed:
        yield from _walked(root, prefix, depth)


def _asked(root: Path, prefix: str, layout: Layout, depth: int) -> Generator[str | Gap, None, bool]:
    """What git lists; returns whether it has."""
    # Loaded late: a plain directory needs no git.
    from stanch.scanner.sources.git.repository import (  # noqa: PLC0415
        complaint,
        opened,
        records,
        said,
        start,
    )

    with opened(layout) as repository:
        command = ("ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate")
        git = start(repository, *command, cwd=root)
        listed = False
        with git:
            for raw in records(git, patience=PATIENCE):
                listed = True
                yield from _entry(root, prefix, os.fsdecode(raw), depth)
        for line in complaint(repository, "ls-files").splitlines():
            yield Gap(path=display(prefix) or ".", why=said(line), incomplete=True)
    if git.returncode == -signal.SIGKILL:
        why = f"git was silent for {PATIENCE:.0f} s, as before a named pipe called .gitignore"
        yield Gap(path=display(prefix) or ".", why=why, incomplete=True)
    return listed or git.returncode == 0


def _walked(root: Path, prefix: str, depth: int) -> Iterator[str | Gap]:
    for found in walk(root):
        if isinstance(found, Nested):
            yield from _nested(root, prefix, found.path, depth)
        elif isinstance(found, Gap):
            yield Gap(path=display(prefix) + found.path, why=found.why, incomplete=found.incomplete)
        else:
            yield prefix + found


def _entry(root: Path, prefix: str, path: str, depth: int) -> Iterator[str | Gap]:
    """One path that git listed: a file, a nested repository, or one deleted from disk."""
    if _STRAY.search(path):  # git lists what a forged index says, out of the tree as well
        yield Gap(path=display(prefix + path), why="a path that git never writes", incomplete=True)
        return
    full = os.path.join(root, path)  # noqa: PTH118  # hot
    try:
        mode = os.lstat(full).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return  # tracked and deleted: not part of the working tree any more
    except OSError as error:
        yield Gap(path=display(prefix + path), why=error.strerror or "unreadable", incomplete=True)
        return
    if stat.S_ISREG(mode):
        yield prefix + path
    elif stat.S_ISDIR(mode):
        yield from _nested(root, prefix, path.rstrip("/"), depth)
    else:
        yield odd(display(prefix + path), mode)


def _nested(root: Path, prefix: str, path: str, depth: int) -> Iterator[str | Gap]:
    below = root / path
    yield from listing(below, f"{prefix}{path}/", at(below), depth=depth + 1)


def _is_ignored(root: Path, layout: Layout) -> bool:
    if layout.top is None or root == layout.top:
        return False
    from subprocess import TimeoutExpired  # noqa: PLC0415  # as above

    from stanch.scanner.sources.git.repository import opened, start  # noqa: PLC0415  # as above

    with opened(layout) as repository:
        path = root.relative_to(layout.top)
        git = start(repository, "check-ignore", "-q", "--no-index", "--", str(path), cwd=layout.top)
        with git:
            try:
                return git.wait(PATIENCE) == 0
            except TimeoutExpired:
                git.kill()
                return False

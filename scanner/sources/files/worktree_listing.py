"""Lists the files of a working tree as git sees them: tracked, or new and not ignored."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from stanch.scanner.model.error import SourceError
from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.files.gitignore_walk import Nested, walk
from stanch.scanner.sources.files.special_file import odd
from stanch.scanner.sources.git.bounds import Bounds
from stanch.scanner.sources.git.discovery import Layout, at

if TYPE_CHECKING:  # a plain directory needs no git
    from stanch.scanner.sources.git.bounded_process import Git

LISTING = Bounds(patience=60.0)
"""Git may be silent while it lists: some time, where a tree is very large. But it opens whatever is
called .gitignore, and would wait for a named pipe for ever."""
IMPATIENT = Bounds(patience=1.0)
"""Of a tree in which it once waited in vain: it may hold many such pipes."""

_DEEPEST = 40  # repositories within each other; each holds a git while it is listed
#: What git writes into no index of its own: nothing, `.`, `..`, from the root, two slashes.
_STRAY = re.compile(r"(?:^|/)(?:\.{1,2}(?:/|$)|/)|^$")


def listing(root: Path, layout: Layout | None) -> Iterator[str | Gap]:
    """Paths below ``root``; repositories below it follow their own rules."""
    return _Listing().paths(root, "", layout, 0)


class _Listing:
    """The listing of one tree, and how long each git may be waited for in it."""

    def __init__(self) -> None:
        self._bounds = LISTING

    def paths(
        self, root: Path, prefix: str, layout: Layout | None, depth: int
    ) -> Iterator[str | Gap]:
        """Paths below ``root``, each with the prefix that leads to it from the scanned root."""
        if depth > _DEEPEST:
            gap = f"repositories nested deeper than {_DEEPEST}"
            yield Gap(path=display(prefix), why=gap, incomplete=True)
            return
        if layout is None or layout.top is None or self._is_ignored(root, layout):
            yield from self._walked(root, prefix, depth)
            return
        try:
            listed = yield from self._asked(root, prefix, layout, depth)
        except SourceError as error:
            gap = f"git cannot list it: {error}"
            yield Gap(path=display(prefix) or ".", why=gap, incomplete=True)
            listed = False
        if not listed:
            yield from self._walked(root, prefix, depth)

    def _asked(
        self, root: Path, prefix: str, layout: Layout, depth: int
    ) -> Generator[str | Gap, None, bool]:
        """What git lists; returns whether it has."""
        # Loaded late: a plain directory needs no git.
        from stanch.scanner.sources.git.repository import (  # noqa: PLC0415
            complaint,
            opened,
            records,
            said,
            start,
            why,
        )

        with opened(layout, bounds=self._bounds) as repository:
            command = (
                "ls-files",
                "-z",
                "--cached",
                "--others",
                "--exclude-standard",
                "--deduplicate",
            )
            git = start(repository, *command, cwd=root)
            listed = False
            with git:
                for raw in records(git):
                    listed = True
                    yield from self._entry(root, prefix, os.fsdecode(raw), depth)
            complained = complaint(repository, "ls-files").splitlines()
            for line in complained:
                yield Gap(path=display(prefix) or ".", why=said(line), incomplete=True)
            self._learn(git)
            if git.failed and not complained:
                gap = f"git cannot list it: {why(repository, git, 'ls-files')}"
                yield Gap(path=display(prefix) or ".", why=gap, incomplete=True)
        return listed or not git.failed

    def _walked(self, root: Path, prefix: str, depth: int) -> Iterator[str | Gap]:
        for found in walk(root):
            if isinstance(found, Nested):
                yield from self._nested(root, prefix, found.path, depth)
            elif isinstance(found, Gap):
                yield Gap(
                    path=display(prefix) + found.path, why=found.why, incomplete=found.incomplete
                )
            else:
                yield prefix + found

    def _entry(self, root: Path, prefix: str, path: str, depth: int) -> Iterator[str | Gap]:
        """One path that git listed: a file, a nested repository, or one deleted from disk."""
        if _STRAY.search(path):  # git lists what a forged index says, out of the tree as well
            yield Gap(
                path=display(prefix + path), why="a path that git never writes", incomplete=True
            )
            return
        full = os.path.join(root, path)  # noqa: PTH118  # hot
        try:
            mode = os.lstat(full).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return  # tracked and deleted: not part of the working tree any more
        except OSError as error:
            yield Gap(
                path=display(prefix + path), why=error.strerror or "unreadable", incomplete=True
            )
            return
        if stat.S_ISREG(mode):
            yield prefix + path
        elif stat.S_ISDIR(mode):
            yield from self._nested(root, prefix, path.rstrip("/"), depth)
        else:
            yield odd(display(prefix + path), mode)

    def _nested(self, root: Path, prefix: str, path: str, depth: int) -> Iterator[str | Gap]:
        below = root / path
        yield from self.paths(below, f"{prefix}{path}/", at(below), depth + 1)

    def _is_ignored(self, root: Path, layout: Layout) -> bool:
        if layout.top is None or root == layout.top:
            return False
        from stanch.scanner.sources.git.repository import opened, start  # noqa: PLC0415  # as above

        with opened(layout, bounds=self._bounds) as repository:
            path = root.relative_to(layout.top)
            command = ("check-ignore", "-q", "--no-index", "--", str(path))
            with start(repository, *command, cwd=layout.top) as git:
                pass  # it says nothing; one that hangs is ended
        self._learn(git)
        return not git.failed

    def _learn(self, git: Git) -> None:
        if git.hung:
            self._bounds = IMPATIENT

"""Finds what git would wait for in a repository's own folder: named pipes, devices, sockets.

Git opens whatever bears the name of a ref, an object or an index. A named pipe there keeps it
waiting for ever, and a device may never end; no option of git's turns that off.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator

from stanch.scanner.sources.git.discovery import Layout

_FILES = ("HEAD", "index", "config", "packed-refs", "shallow", "commondir", "info/exclude")
_TREES = ("refs", "objects")


def obstacle(layout: Layout) -> str | None:
    """The first such path, relative to the repository's folder; None in an ordinary repository."""
    for base in dict.fromkeys((os.fspath(layout.git_dir), os.fspath(layout.common_dir))):
        for name in _FILES:
            if _is_odd(os.path.join(base, name)):  # noqa: PTH118  # one string is enough
                return name
        for tree in _TREES:
            for found in _odd_below(os.path.join(base, tree)):  # noqa: PTH118  # as above
                return os.path.relpath(found, base)
    return None


def _odd_below(top: str) -> Iterator[str]:
    pending = [top]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    # The kind comes with the listing: ordinary entries cost no call of their own.
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    elif not entry.is_file(follow_symlinks=False) and _is_odd(entry.path):
                        yield entry.path
        except OSError:
            continue  # git says itself what it cannot list


def _is_odd(path: str) -> bool:
    try:
        mode = os.stat(path).st_mode  # noqa: PTH116  # as above
    except OSError:
        return False
    return not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))

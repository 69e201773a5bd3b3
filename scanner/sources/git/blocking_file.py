"""Finds what git would wait for in a repository's own folder: named pipes, devices, sockets.

Git opens whatever bears the name of a ref, an object or an index. A named pipe there keeps it
waiting for ever, and a device may never end; no option of git's turns that off.
"""

from __future__ import annotations

import codecs
import os
import stat
from collections.abc import Iterator

from stanch.scanner.sources.git.discovery import Layout

_FILES = ("HEAD", "index", "config", "packed-refs", "shallow", "commondir", "info/exclude")
_TREES = ("refs", "objects")
_MOST_STORES = 64
_LARGEST_LIST = 1 << 20  # bytes


def obstacle(layout: Layout) -> str | None:
    """The first such path, relative to the repository's folder; None in an ordinary repository."""
    for base in dict.fromkeys((os.fspath(layout.git_dir), os.fspath(layout.common_dir))):
        for name in _FILES:
            if _is_odd(os.path.join(base, name)):  # noqa: PTH118  # one string is enough
                return name
        for tree in _TREES:
            for found in _odd_below(os.path.join(base, tree)):  # noqa: PTH118  # as above
                return os.path.relpath(found, base)
        for store in _borrowed(os.path.join(base, "objects")):  # noqa: PTH118  # as above
            for found in (store, *_odd_below(store)):
                if _is_odd(found):
                    return found
    return None


def _borrowed(objects: str) -> Iterator[str]:
    """The object stores from which this one borrows, and those from which they do."""
    seen, pending = {objects}, [objects]
    while pending and len(seen) < _MOST_STORES:
        store = pending.pop()
        if store != objects:
            yield store  # whoever asks looks at it before its own list is opened
        for other in _alternates(store):
            if other not in seen:
                seen.add(other)
                pending.append(other)


def _alternates(store: str) -> Iterator[str]:
    """What ``info/alternates`` of an object store names (gitrepository-layout(5))."""
    name = os.path.join(store, "info", "alternates")  # noqa: PTH118  # as above
    if _is_odd(name):
        return
    try:
        with open(name, "rb") as file:  # noqa: PTH123  # as above
            lines = file.read(_LARGEST_LIST).splitlines()
    except OSError:
        return
    for line in lines:
        path = _unquoted(line)
        if path and not line.startswith(b"#") and b"\0" not in path:
            yield os.path.realpath(os.path.join(store, os.fsdecode(path)))  # noqa: PTH118  # as above


def _unquoted(line: bytes) -> bytes:
    if line[:1] != b'"':
        return line
    try:
        return codecs.escape_decode(line[1:].rpartition(b'"')[0])[0]
    except ValueError:
        return b""  # git takes it for no path either


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

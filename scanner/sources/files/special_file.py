"""What is in a tree and is neither a file nor a directory: never opened, only said."""

from __future__ import annotations

import stat

from stanch.scanner.model.fragment import Gap

_ODD = (
    (stat.S_ISLNK, "symbolic link, not followed"),
    (stat.S_ISFIFO, "named pipe, never opened"),
    (stat.S_ISSOCK, "socket, never opened"),
    (stat.S_ISCHR, "device, never opened"),
    (stat.S_ISBLK, "device, never opened"),
)


def odd(shown: str, mode: int) -> Gap:
    """What to say of it, by its mode; ``shown`` is its path for people."""
    for is_kind, why in _ODD:
        if is_kind(mode):
            return Gap(path=shown, why=why, incomplete=False)
    return Gap(path=shown, why="replaced by a directory while scanning", incomplete=True)

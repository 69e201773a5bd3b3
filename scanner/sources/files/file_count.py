"""About how many files a tree has, for the time that is left: quickly, and not exactly."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

from stanch.scanner.sources.git.discovery import enclosing

_HEADER = struct.Struct(">4sII")  # gitformat-index(5): signature, version, number of entries
_PATIENCE = 0.3  # seconds


def expected(root: Path) -> int | None:
    """How many files a scan of ``root`` will read; None when counting would take too long.

    At the root of a repository its index says how many are tracked.
    """
    layout = enclosing(root)
    if layout is not None and layout.top == root:
        return _tracked(layout.git_dir / "index")
    until = time.monotonic() + _PATIENCE
    count, pending = 0, [os.fspath(root)]
    while pending:
        try:
            with os.scandir(pending.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        pending.append(entry.path)
                    else:
                        count += 1
        except OSError:
            continue  # the scan itself says what cannot be listed
        if time.monotonic() > until:
            return None
    return count


def _tracked(index: Path) -> int | None:
    try:
        if not index.is_file():
            return None
        with index.open("rb") as file:
            signature, _, count = _HEADER.unpack(file.read(_HEADER.size))
    except (OSError, struct.error):
        return None
    return int(count) if signature == b"DIRC" else None

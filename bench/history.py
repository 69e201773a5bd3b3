"""What full histories of real repositories cost, and a second scan of each, next to the peers.

Processor seconds of all processes, wall-clock seconds, and the most memory that all processes hold
at once (a shared page counts once). ``make bench ARGS="history PATH…"``; each path is a repository,
best a bare clone, so that there is no working tree to read besides.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from cost import compared  # type: ignore[import-not-found]  # scripts of one folder

PEERS = {
    "betterleaks": ("git", "{path}", "--no-banner", "--output", "{out}"),
    "gitleaks": (("git", "{path}", "--no-banner", "--report-format=json", "--report-path={out}")),
    "kingfisher": ("scan", "{path}", "--no-validate", "--format=json", "--output={out}"),
}


def main(paths: Sequence[str] = ()) -> None:
    """Scan every repository with everybody, in turns, and print the table."""
    if paths:
        compared(paths, PEERS, twice=True)
    else:
        print('name repositories: make bench ARGS="history PATH…"')


if __name__ == "__main__":
    main(sys.argv[1:])

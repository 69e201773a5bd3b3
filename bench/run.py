"""Runs every benchmark and prints ratios against the peers in the same run: ``make bench``.

``make bench ARGS=scan`` runs one section, ``make bench ARGS="history PATH…"`` one that measures
real repositories (``scan PATH…``: real trees).
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

# One module each, with a `main() -> None` that prints its tables. Read from top to bottom.
SECTIONS = (
    "scan",
    "history",
    "detection",
    "documents",
    "log",
    "hook",
    "response",
    "anomaly",
    "image",
    "fleet",
    "secrets",
)
# A script called like a module of Python's own would take its place.
MODULES = {"secrets": "secret_cache"}


def main(arguments: list[str]) -> None:
    """Run the named sections, or all; paths go to the section in front of them."""
    wanted: dict[str, list[str]] = {}
    for each in arguments:
        if each in SECTIONS:
            wanted[each] = []
        elif wanted and Path(each).is_dir():
            wanted[list(wanted)[-1]].append(each)
        else:
            sys.exit(f"no such benchmark or folder: {each}; there are: {', '.join(SECTIONS)}")
    for name, paths in (wanted or {name: [] for name in SECTIONS}).items():
        print(f"\n== {name} ==\n")
        section = importlib.import_module(MODULES.get(name, name))
        section.main(paths) if paths else section.main()


if __name__ == "__main__":
    main(sys.argv[1:])

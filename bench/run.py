"""Runs every benchmark and prints ratios against the peers in the same run: ``make bench``.

``make bench ARGS=scan`` runs one section.
"""

from __future__ import annotations

import importlib
import sys

# One module each, with a `main() -> None` that prints its tables. Read from top to bottom.
SECTIONS = ("scan", "history", "detection", "hook", "response", "anomaly")


def main(names: list[str]) -> None:
    """Run the named sections, or all."""
    unknown = [name for name in names if name not in SECTIONS]
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(unknown)}; there are: {', '.join(SECTIONS)}")
    for name in names or SECTIONS:
        print(f"\n== {name} ==\n")
        importlib.import_module(name).main()


if __name__ == "__main__":
    main(sys.argv[1:])

"""``python -P -m scanner.hook``: what installed git hooks run, without loading a command line."""

from __future__ import annotations

from scanner.hook.program import main

if __name__ == "__main__":
    main()

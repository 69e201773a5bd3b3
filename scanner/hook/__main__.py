"""``python -P -m scanner.hook``: the hook's program without a command line library."""

from __future__ import annotations

from scanner.hook.program import main

if __name__ == "__main__":
    main()

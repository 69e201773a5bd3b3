"""``python -P -m stanch.scanner.hook``: the hook's program without a command line library."""

from __future__ import annotations

from stanch.scanner.hook.main import main

if __name__ == "__main__":
    main()

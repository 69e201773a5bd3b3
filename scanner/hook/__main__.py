"""``python -P -m scanner.hook``: what installed git hooks run, without loading a command line."""

from __future__ import annotations

import gc

gc.disable()  # most of a short run is loading modules, which makes no garbage

from scanner.hook.program import main  # noqa: E402

if __name__ == "__main__":
    main()

"""The first look of an installed hook, in an interpreter that is not ready for more yet.

Before a program begins, Python looks through all installed packages for what they want done at
every start. That takes longer than the look itself, which needs two packages whose folders are
known since the hook was installed. So the hook starts Python without it (``-S``), and makes up for
it when the look has not settled the matter.
"""

from __future__ import annotations

import gc
import os
import sys

from stanch.scanner.hook.glance import nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import NoReturn


def main(path: Sequence[str]) -> NoReturn:
    """Run with the process's arguments; ``path`` is what Python had for ``sys.path`` by itself."""
    gc.disable()  # the process ends before its garbage matters, and a commit waits for it
    if nothing(sys.argv[1:], os.environ):
        os._exit(0)  # nothing was said, so nothing has to be flushed
    sys.path[:] = path
    import site  # noqa: PLC0415  # what this module is there to put off

    site.main()
    from stanch.scanner.hook.program import closely  # noqa: PLC0415  # most commits are settled by now

    closely(sys.argv[1:])

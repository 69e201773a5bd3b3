"""Where ``stanch`` starts: with nothing loaded, since some commands need next to nothing."""

from __future__ import annotations

import gc
import os
import sys

from stanch.scanner.leave import leave

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> NoReturn:
    """Run ``stanch`` with the process's arguments."""
    gc.disable()  # modules are no garbage
    if sys.argv[1:2] == ["scan"]:
        from stanch.scanner.cli.again import told  # noqa: PLC0415  # the other commands have no use for it

        code = told(sys.argv[2:], os.environ)
        if code is not None:
            leave(code)
        from stanch.scanner.companion import begin  # noqa: PLC0415  # as above

        begin()
    from stanch.responder.cli.main import main as run  # noqa: PLC0415  # loads the command line library

    gc.enable()
    run()

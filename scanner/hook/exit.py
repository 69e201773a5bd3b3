"""How a quick command ends."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def leave(code: int) -> NoReturn:
    """End the process; taking apart what was loaded would take longer than some commands."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    finally:  # the reader may have gone; the exit code still counts
        os._exit(code)

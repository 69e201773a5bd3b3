"""The operating system's user who runs this command."""

from __future__ import annotations

import os
import pwd


def account() -> str:
    """The process's own, not what the environment says."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:  # a container's user often has no entry
        return f"uid {os.getuid()}"

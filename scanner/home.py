"""Where a user's data is: plain strings, for whoever has to be quick."""

from __future__ import annotations

import os

from stanch.scanner.model.error import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def data_folder(environ: Mapping[str, str]) -> str:
    """``$STANCH_HOME``, or ``stanch`` in ``$XDG_DATA_HOME``."""
    if own := environ.get("STANCH_HOME"):
        return own
    shared = environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    if shared.startswith("~"):
        raise UsageError(
            "there is no home directory to keep things in",
            remedy="set STANCH_HOME to a directory of your own",
        )
    return os.path.join(shared, "stanch")

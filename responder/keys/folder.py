"""The data directory and what lies in it: for its owner alone, also when it was made otherwise.

Modes are looked at whenever something is opened, not only when it is created: a copy, a restored
backup or a shell's umask makes them wide again.
"""

from __future__ import annotations

import stat
from pathlib import Path

from stanch.responder.domain.error import ConfigError
from stanch.responder.telemetry.log import get_logger

log = get_logger(__name__)

OTHERS = 0o077
_ANYBODY_WRITES = 0o002


def close_folder(path: Path) -> None:
    """Take the data directory from others: what they could read or, in their group, write.

    Raises ConfigError when anybody could write there: what lies in it may be theirs.
    """
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except FileNotFoundError:
        return
    if mode & _ANYBODY_WRITES:
        raise ConfigError(
            f"anybody may write to the data directory {path} (mode {mode:04o})",
            remedy=f"see that only yours is in it, then `chmod 700 {path}`",
        )
    if mode & OTHERS:
        _narrow(path, mode, 0o700)


def close_file(path: Path) -> None:
    """The same for a file that holds no key; keys that others may read are refused instead."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return
    mode = stat.S_IMODE(found.st_mode)
    if stat.S_ISREG(found.st_mode) and mode & OTHERS:
        _narrow(path, mode, 0o600)


def _narrow(path: Path, mode: int, wanted: int) -> None:
    try:
        path.chmod(wanted)
    except OSError as error:
        raise ConfigError(
            f"{path} is open to others (mode {mode:04o}) and cannot be closed: {error.strerror}",
            remedy=f"as its owner run `chmod {wanted:o} {path}`",
        ) from None
    log.info("mode.narrowed", path=str(path), before=f"{mode:04o}", after=f"{wanted:04o}")

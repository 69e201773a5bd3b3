"""Key files: created once with fresh bytes, readable by their owner alone."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Callable
from pathlib import Path

from stanch.responder.domain.error import ConfigError
from stanch.scanner.model.secret import SecretValue


def load_or_create(
    path: Path, *, size: int, what: str, fresh: Callable[[int], bytes] = os.urandom
) -> SecretValue:
    """The ``size`` bytes in ``path``, created on first use (directory 0700, file 0600).

    ``what`` names the key in messages. Two processes that create at once agree on one key.
    Raises ConfigError when the file is readable by others, has the wrong length or cannot be used.
    """
    try:
        if not path.exists():
            _create(path, fresh(size))
        return load(path, size=size, what=what)
    except OSError as error:
        raise _unusable(path, what, error) from None


def load(path: Path, *, size: int, what: str) -> SecretValue:
    """The ``size`` bytes in an existing file; ConfigError as in :func:`load_or_create`."""
    try:
        # O_NOFOLLOW: whoever may plant a link next to the key must not choose which file is read.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise _unusable(path, what, error) from None
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        mode = status.st_mode
        if foreign(status):
            raise ConfigError(
                f"{what} {path} belongs to another user (uid {status.st_uid}), who can read it",
                remedy=f"run `chown {os.geteuid()} {path}`, and replace the key if it is not sure "
                "who has read it",
            )
        if not stat.S_ISREG(mode):
            raise ConfigError(
                f"{what} {path} is no regular file",
                remedy="put the key's bytes into a file that only this user can read",
            )
        if stat.S_IMODE(mode) & 0o077:
            raise ConfigError(
                f"{what} {path} can be read by others (mode {stat.S_IMODE(mode):04o})",
                remedy=f"run `chmod 600 {path}`, and replace the key if others may have read it",
            )
        value = file.read(size + 1)
    if len(value) != size:
        raise ConfigError(
            f"{what} {path} does not hold {size} bytes",
            remedy="restore the file from its backup; a new key cannot read what the old one wrote",
        )
    return SecretValue(value)


def foreign(status: os.stat_result) -> bool:
    """Whether somebody other than this user and root owns a file: its mode says nothing then."""
    return status.st_uid not in {0, os.geteuid()}


def _create(path: Path, value: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Written whole beside its place and then linked there: a reader never sees half a key, and of
    # two writers one wins.
    draft = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(value)
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            os.link(draft, path)
    finally:
        draft.unlink()


def _unusable(path: Path, what: str, error: OSError) -> ConfigError:
    return ConfigError(
        f"{what} {path} cannot be used: {error.strerror}",
        remedy="name a file that this user may read, in a directory that this user may write",
    )

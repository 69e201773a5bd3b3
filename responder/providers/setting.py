"""The table of a provider in ``stanch.toml``."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import msgspec

_MOST = 1 << 20  # bytes of a configuration file


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Keys with types and defaults. Secrets are references, never values."""


def text_of(path: Path) -> str:
    """The file's text, up to a size that no configuration has; a pipe or device is refused."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(errno.EINVAL, "it is no regular file")
        value = file.read(_MOST + 1)
    if len(value) > _MOST:
        raise OSError(errno.EFBIG, f"it is larger than {_MOST >> 20} MiB")
    return value.decode("utf-8-sig")

"""Compiled rules kept between runs, for the user alone.

A cache may vanish, be broken or belong to somebody else at any time: whoever reads it gets ``None``
and works without. A database is native code's input, so only files that the user owns and nobody
else may write are read, and only when their checksum holds.
"""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

_DIGEST = 32


def directory() -> Path | None:
    """``$XDG_CACHE_HOME/stanch``, else ``~/.cache/stanch``; ``None`` when there is no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if named.startswith("/"):
        return Path(named) / "stanch"
    home = os.environ.get("HOME", "")
    return Path(home) / ".cache" / "stanch" if home.startswith("/") else None


def read(folder: Path | None, name: str) -> bytes | None:
    """The bytes stored under ``name``, or ``None`` when they are missing, foreign or broken."""
    if folder is None:
        return None
    try:
        handle = os.open(folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        private = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not (stat.S_ISREG(status.st_mode) and private and status.st_uid == os.geteuid()):
            return None
        try:
            stored = file.read()
        except OSError:
            return None
    digest, body = stored[:_DIGEST], stored[_DIGEST:]
    return body if hashlib.sha256(body).digest() == digest else None


def write(folder: Path | None, name: str, body: bytes) -> bool:
    """Stores ``body`` atomically (folder 0700, file 0600); false when that is not possible."""
    if folder is None:
        return False
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        temporary = folder / f".new-{os.getpid()}-{os.urandom(8).hex()}"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).digest() + body)
        temporary.replace(folder / name)
    except OSError:
        temporary.unlink(missing_ok=True)
        return False
    return True

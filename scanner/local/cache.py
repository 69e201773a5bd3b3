"""Compiled rules kept between runs, for the user alone.

A cache may vanish, be broken or belong to somebody else at any time: whoever reads it gets ``None``
and works without. What is kept is native code's and the interpreter's input, so only files that the
user owns and nobody else may write are read, and only when their checksum holds. The checksum is
against accidents: whoever may write here may as well replace the program.
"""

from __future__ import annotations

import os
import stat
import zlib
from functools import lru_cache

_CHECKSUM = 4  # bytes
CODE = os.path.dirname(os.path.dirname(__file__))
"""The scanner's own folder."""

Stamp = tuple[str, int, int, int, int]
"""A file, its size, its times and its inode."""

Folder = str | os.PathLike[str] | None


def directory() -> str | None:
    """``$XDG_CACHE_HOME/stanch``, else ``~/.cache/stanch``; ``None`` when there is no home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if named.startswith("/"):
        return os.path.join(named, "stanch")
    home = os.environ.get("HOME", "")
    return os.path.join(home, ".cache", "stanch") if home.startswith("/") else None


def read(folder: Folder, name: str, *, checked: bool = True) -> bytes | None:
    """The bytes stored under ``name``, or ``None`` when they are missing, foreign or broken.

    Whoever sees by himself whether they are broken need not have them ``checked``.
    """
    if folder is None:
        return None
    path = os.path.join(folder, name)
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return None
    with open(handle, "rb", buffering=0) as file:
        status = os.fstat(handle)
        private = not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if not (stat.S_ISREG(status.st_mode) and private and status.st_uid == os.geteuid()):
            return None
        try:
            expected, body = file.read(_CHECKSUM), file.readall()
        except OSError:
            return None
    return body if not checked or expected == _checksum(body) else None


def write(folder: Folder, name: str, body: bytes) -> bool:
    """Stores ``body`` atomically (folder 0700, file 0600); false when that is not possible."""
    if folder is None:
        return False
    path = os.path.join(folder, name)
    draft = os.path.join(folder, f".new-{os.getpid()}-{os.urandom(8).hex()}")
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        with open(handle, "wb", buffering=0) as file:
            file.write(_checksum(body) + body)
        os.replace(draft, path)
    except OSError:
        _removed(draft)
        return False
    return True


def _removed(path: str) -> None:
    try:
        os.unlink(path)
    except OSError:
        return


def _checksum(body: bytes) -> bytes:
    return zlib.crc32(body).to_bytes(_CHECKSUM, "big")


@lru_cache
def code_stamps() -> tuple[Stamp, ...]:
    """A stamp of every file of the scanner but its rules, in every folder.

    What is kept was made by code. Whoever keeps something made by anything but the files it names
    counts these among them, so that an edit or an upgrade anywhere makes it anew.
    """
    found = []
    pending = [CODE]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir():
                    pending.append(entry.path)
                elif not entry.name.endswith((".pyc", ".yaml")):
                    found.append(stamp(entry.path))
    return tuple(sorted(found))


def stamp(file: str) -> Stamp:
    """What changes when a file does: nobody can set the time of its last change (ctime)."""
    try:
        now = os.stat(file)
    except OSError:
        return (file, -1, 0, 0, 0)  # whoever reads it says what is wrong
    return (file, now.st_size, now.st_mtime_ns, now.st_ctime_ns, now.st_ino)

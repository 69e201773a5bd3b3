"""A file that somebody else writes, as it grows: also when it is rotated or cut."""

from __future__ import annotations

import os
from pathlib import Path


class Followed:
    """Reads from the beginning. ``read`` gives b"" when there is nothing new.

    ``turned`` is set by a read that found another file in the place, or a shorter one: what it
    gives is the beginning of something new.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        self._at = 0
        self.turned = False

    def read(self, size: int) -> bytes:
        """The next bytes of this file; of the one in its place when this one has been read."""
        self.turned = False
        facts = os.fstat(self._file)
        if facts.st_size < self._at:
            self._at, self.turned = 0, True
        data = os.pread(self._file, size, self._at)
        if not data and self._replaced(facts):
            self.turned = True
            data = os.pread(self._file, size, 0)
            self._at = 0
        self._at += len(data)
        return data

    def close(self) -> None:
        """End it."""
        os.close(self._file)

    def _replaced(self, facts: os.stat_result) -> bool:
        try:
            now = self._path.stat()
            if (now.st_dev, now.st_ino) == (facts.st_dev, facts.st_ino):
                return False
            new = os.open(self._path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:  # between two files
            return False
        os.close(self._file)
        self._file = new
        return True

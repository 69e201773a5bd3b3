"""An image in a folder: an OCI layout."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import IO

from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.image.blob import Blob
from stanch.scanner.sources.image.listing import Lister, Listing, Masked
from stanch.scanner.sources.image.local import OWN, list_local

_READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Folder:
    """Blobs in ``blobs/ALGORITHM/HEX``; nothing is followed that could lead out of the folder."""

    addressed = False

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()

    def listing(self, image: str, masked: Masked) -> Listing:
        """What the image holds; whatever is wrong with it is in the listing's gaps."""
        lister = Lister(store=self, listing=Listing(image=image), masked=masked)
        list_local(self, lister)
        return lister.listing

    def open(self, blob: Blob) -> IO[bytes]:
        """The file of a digest, or one by its name."""
        path = self._path(blob)
        try:
            if not path.parent.resolve().is_relative_to(self._root):
                raise OSError("it is behind a symbolic link, or outside")
            descriptor = os.open(path, _READ_ONLY)
        except ValueError as error:  # a NUL in the name
            raise OSError("it has no name that a file could have") from error
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise OSError("it is no regular file")
        return os.fdopen(descriptor, "rb", buffering=0)

    def loose(self, known: Iterable[str]) -> Iterable[Blob]:
        """Every other file, by its digest where its name is one."""
        seen = set(known)
        for folder, folders, files in os.walk(self._root):
            folders.sort()
            for file in sorted(files):
                path = Path(folder, file).relative_to(self._root).as_posix()
                digest = ":".join(path.split("/")[1:]) if path.startswith("blobs/") else ""
                if path not in seen and digest not in seen and path not in OWN:
                    yield Blob(name=display(path))

    def rank(self, blob: Blob) -> int:
        """By size."""
        try:
            return -self._path(blob).lstat().st_size
        except (OSError, ValueError):
            return 0

    def _path(self, blob: Blob) -> Path:
        return self._root / blob.member

    def close(self) -> None:
        """Nothing stays open."""

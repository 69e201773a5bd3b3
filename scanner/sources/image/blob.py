"""What an image is made of: blobs with digests, and streams that are checked as they are read."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from typing import IO, Protocol

from stanch.scanner.model.record import Record, replace
from stanch.scanner.sources.content.unpacked import DamagedError
from stanch.scanner.sources.content.window import Read

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}\Z|sha512:[0-9a-f]{128}\Z")
_RATIO = 200  # what is packed more tightly than this is no layer, once it is large
_FREE = 1 << 30  # bytes that may come out of anything
_MOST = 64 << 30  # bytes that may come out of one layer


class Blob(Record):
    """Some bytes of an image: ``name`` is what the store knows them by.

    ``digest`` is of the bytes as they are kept, ``diff_id`` of the same unpacked; None where
    nobody has said.
    """

    name: str
    digest: str | None = None
    diff_id: str | None = None
    size: int | None = None
    manifest: bool = False  # registries keep these apart

    @property
    def member(self) -> str:
        """Where it is in a layout: of a digest, its place there; any other name stands for itself.

        What merely lies there may be called like a digest.
        """
        return member_name(self.name) if self.digest else self.name

    @property
    def identity(self) -> str | None:
        """By which it is known as a layer."""
        return self.digest or self.diff_id


class Store(Protocol):
    """Where the blobs of one image are.

    ``addressed``: whether a digest is the address of its content, so that whoever names it gets
    these bytes or an error.
    """

    addressed: bool

    def open(self, blob: Blob) -> IO[bytes]:
        """Its bytes from the first on. Raises :class:`OSError` when there are none."""

    def loose(self, known: Iterable[str]) -> Iterable[Blob]:
        """What else is kept there, apart from these names."""

    def rank(self, blob: Blob) -> int:
        """The lowest are read first: where nothing else counts, the largest."""

    def close(self) -> None:
        """Release what this process has opened."""


class Checked(io.RawIOBase):
    """A stream whose bytes are counted and, for a digest, hashed as they pass.

    Whoever sends more than the ``most`` that was announced might never end.
    """

    def __init__(self, read: Read, digest: str | None, most: int | None = None) -> None:
        super().__init__()
        self._read = read
        self._most = most
        self._broken: Exception | None = None
        self._hash = hasher(digest)
        self.size = 0

    def readable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        """As much as there is, up to the size of the buffer."""
        filled = 0
        if self._broken is not None:
            raise self._broken
        try:
            while filled < len(buffer) and (data := self._read(len(buffer) - filled)):
                buffer[filled : filled + len(data)] = data
                filled += len(data)
        except Exception as error:
            if not filled:
                raise
            self._broken = error  # what came before it may hold something
        if self._hash is not None:
            self._hash.update(buffer[:filled])
        self.size += filled
        if self._most is not None and self.size > self._most:
            raise DamagedError("it has more bytes than the manifest says; the rest is not read")
        return filled

    def verify(self, blob: Blob) -> None:
        """Raise when the bytes that have passed are not those of the blob; they must be all."""
        if self._hash is not None and self.hexdigest != blob.digest:
            raise DamagedError("its content does not have the digest that it is named by")
        if blob.size is not None and self.size != blob.size:
            raise DamagedError("its content does not have the size that the manifest says")

    @property
    def hexdigest(self) -> str | None:
        """The digest of what has passed."""
        return f"{self._hash.name}:{self._hash.hexdigest()}" if self._hash is not None else None


class Tap:
    """Hears what a packed layer unpacks to: its digest, and an end to what would never end."""

    def __init__(self, packed: Checked, diff_id: str | None) -> None:
        self._packed = packed
        self._hash = hasher(diff_id)
        self._diff_id = diff_id
        self.size = 0

    def __call__(self, data: bytes) -> None:
        """Take note of what comes next. Raises :class:`DamagedError` when it is too much."""
        if self._hash is not None:
            self._hash.update(data)
        self.size += len(data)
        if self.size > _FREE and self.size > min(_MOST, _RATIO * self._packed.size):
            what = f"{_MOST >> 30} GiB" if self.size > _MOST else f"{_RATIO} times its size"
            raise DamagedError(f"unpacks to more than {what}; the rest is not read")

    def verify(self) -> None:
        """Raise when what has come out is not what the image's configuration says."""
        if (
            self._hash is not None
            and f"{self._hash.name}:{self._hash.hexdigest()}" != self._diff_id
        ):
            raise DamagedError("it does not unpack to what the configuration says (DiffID)")


def hasher(digest: str | None) -> hashlib._Hash | None:
    """What computes a digest of this kind; None without one."""
    if digest is None:
        return None
    return hashlib.new(digest.partition(":")[0])


def is_digest(text: object) -> bool:
    """Whether it is a digest that can be verified."""
    return isinstance(text, str) and _DIGEST.match(text) is not None


def member_name(blob: str) -> str:
    """Where in a layout a blob is, by its digest; any other name stands for itself."""
    return "blobs/" + blob.replace(":", "/") if is_digest(blob) else blob


def verify(file: IO[bytes], blob: Blob) -> None:
    """Read all of it; raises :class:`DamagedError` when it is not what its digest says."""
    checked = Checked(file.read, blob.identity, blob.size)
    stream = io.BufferedReader(checked, 1 << 20)
    while stream.read(1 << 20):
        pass
    checked.verify(replace(blob, digest=blob.identity))


def unread(error: OSError) -> str:
    """Why something could not be read."""
    if isinstance(error, DamagedError):
        return str(error)
    return f"cannot be read: {error.strerror or error}"

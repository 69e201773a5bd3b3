"""An image in one file: what ``docker save`` writes, or an OCI layout in a tape archive."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from stanch.scanner.model.record import Record
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.content.tar import BLOCK, Tar
from stanch.scanner.sources.content.unpacked import DamagedError, unpacked, unpacker
from stanch.scanner.sources.image.blob import Blob, Checked, Tap, member_name, unread
from stanch.scanner.sources.image.listing import Lister, Listing, Masked
from stanch.scanner.sources.image.local import OWN, list_local

_MOST = 100_000  # members of the archive itself
_SKIP = 1 << 20


class Member(Record):
    """Where in the archive something is."""

    start: int
    size: int


class Saved:
    """The members of the archive; a packed one is read from the front, forwards where possible."""

    addressed = False

    def __init__(self, path: Path) -> None:
        self.path = path
        self.members: dict[str, Member] = {}
        self.twice: list[str] = []
        """Names that came more than once: the last one counts, and the others are not read."""
        self._forward: _Forward | None = None
        with path.open("rb", buffering=0) as file:
            head = file.read(BLOCK)
        self.packed = unpacker(head) is not None
        """Whether the archive as a whole is compressed."""

    def listing(self, image: str, masked: Masked) -> Listing:
        """What the image holds; whatever is wrong with it is in the listing's gaps."""
        lister = Lister(store=self, listing=Listing(image=image), masked=masked)
        try:
            self._list()
        except OSError as error:  # what was found until then can be read all the same
            lister.lost("archive", unread(error))
        for name in self.twice:
            lister.lost(name, "is in the archive more than once; only the last one is read")
        list_local(self, lister)
        return lister.listing

    def _list(self) -> None:
        with self._opened() as (stream, seek):
            tar = Tar(stream, seek=seek)
            for entry in tar:
                name = display(entry.name).removeprefix("./")
                if not entry.size:
                    continue
                if name in self.members:
                    self.twice.append(name)
                if len(self.members) >= _MOST:
                    raise DamagedError(f"has more than {_MOST:,} members; the rest is not read")
                self.members[name] = Member(start=tar.at, size=entry.size)
            tar.finish()

    def open(self, blob: Blob) -> IO[bytes]:
        """A member by its name, or a blob of a layout by its digest."""
        member = self.members.get(blob.member)
        if member is None:
            raise FileNotFoundError("it is not in the archive")
        if not self.packed:
            return io.BufferedReader(_Slice(self.path, member), _SKIP)
        if self._forward is None or self._forward.at > member.start:
            self.close()
            self._forward = _Forward(self.path)
        return self._forward.member(member)

    def rank(self, blob: Blob) -> int:
        """By size; a packed archive is read forwards."""
        member = self.members.get(blob.member)
        if member is None:
            return 0
        return member.start if self.packed else -member.size

    def loose(self, known: Iterable[str]) -> Iterable[Blob]:
        """Every other member."""
        seen = {member_name(each) for each in known} | OWN
        return (Blob(name=name) for name in self.members if name not in seen)

    def close(self) -> None:
        """Close the packed archive."""
        if self._forward is not None:
            self._forward.close()
            self._forward = None

    @contextmanager
    def _opened(self) -> Iterator[tuple[IO[bytes], Callable[[int], object] | None]]:
        with self.path.open("rb") as file:
            if not self.packed:
                size = os.fstat(file.fileno()).st_size
                yield file, _Seek(file, size)
                return
            with _unpacked(file) as stream:
                yield stream, None


def _unpacked(file: io.BufferedReader) -> IO[bytes]:
    """A packed archive's content; what never ends, ends there as in a layer."""
    make = unpacker(file.peek(BLOCK))
    if make is None:
        raise DamagedError("the archive has changed meanwhile")
    packed = Checked(file.read, None)
    return unpacked(io.BufferedReader(packed, _SKIP).read, make, Tap(packed, None))


class _Seek:
    """Moves forwards in a file, and never behind its end."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._size = file, size

    def __call__(self, size: int) -> None:
        if size and self._file.seek(size, os.SEEK_CUR) > self._size:
            raise DamagedError("tar is cut in the data of an entry")


class _Slice(io.RawIOBase):
    """A part of a file."""

    def __init__(self, path: Path, member: Member) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._file.seek(member.start)
        self._left = member.size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        got = self._file.readinto(buffer[: self._left])
        self._left -= got
        return got

    def close(self) -> None:
        self._file.close()
        super().close()


class _Forward:
    """A packed archive from the front, and how far it has been read."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        self._stream = _unpacked(self._file)
        self.at = 0

    def member(self, member: Member) -> IO[bytes]:
        """What begins there; the one before must not be read any more."""
        while self.at < member.start:
            data = self._stream.read(min(_SKIP, member.start - self.at))
            if not data:
                raise DamagedError("the archive has changed meanwhile")
            self.at += len(data)
        return io.BufferedReader(_Part(self, member.size), _SKIP)

    def read(self, size: int) -> bytes:
        """The next bytes."""
        data = self._stream.read(size)
        self.at += len(data)
        return data

    def close(self) -> None:
        """Close the file."""
        self._stream.close()
        self._file.close()


class _Part(io.RawIOBase):
    """The next so many bytes of a stream."""

    def __init__(self, stream: _Forward, size: int) -> None:
        super().__init__()
        self._stream, self._left = stream, size

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        data = self._stream.read(min(len(buffer), self._left))
        self._left -= len(data)
        buffer[: len(data)] = data
        return len(data)

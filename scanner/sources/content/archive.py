"""Opens archives and compressed files, nested ones too, within bounds; nothing is written to disk.

A member is shown as ``outer.zip!inner/file``. What a bound leaves out makes the scan incomplete.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Protocol

from stanch.scanner.local.time_limit import OverTimeError, within
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import Record, replace
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.content.text_or_binary import TAR_MAGIC, is_archive
from stanch.scanner.sources.content.window import fragments

HEAD = 512
"""How much of a file :func:`is_archive` looks at, in bytes."""

__all__ = ["HEAD", "is_archive", "members"]
_DEEPEST = 4
_MEMBERS = 10_000
_BYTES = 256 << 20  # unpacked, over all layers
_SECONDS = 30.0
SECONDS = 5.0
"""Of processor time, until an archive has to give its next piece."""
_DIRECTORY = 4 << 20  # bytes of a zip's: far more than so many members need
_TAR_HEADER = 1 << 20  # bytes of a name or of other facts about a member
_BLOCK = 512  # bytes, of which a tar is made
_SEEKABLE = 64 << 20  # bytes of a nested zip, which has to be held in memory
_DAMAGE = (
    OSError,
    EOFError,
    ValueError,
    KeyError,
    IndexError,
    NotImplementedError,  # what zipfile says of a compression that it does not know
    RuntimeError,
    OverflowError,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    zipfile.BadZipFile,
    tarfile.TarError,
)


class _OverBoundError(Exception):
    """A bound was met; its text says which."""


class _Budget(Record, frozen=False):
    """What one archive may still cost, and where it is."""

    place: Provenance
    left: int
    members: int
    until: float
    clock: Callable[[], float]

    def take(self, size: int) -> None:
        """Account for so many unpacked bytes."""
        self.left -= size
        if self.left < 0:
            raise _OverBoundError(f"unpacks to more than {_BYTES >> 20} MiB")
        if self.clock() > self.until:
            raise _OverBoundError(f"takes longer than {_SECONDS:.0f} s to unpack")

    def enter(self) -> None:
        """Account for a member."""
        self.members -= 1
        if self.members < 0:
            raise _OverBoundError(f"has more than {_MEMBERS} members")


class _Readable(Protocol):
    """What a member's bytes come from."""

    def read(self, size: int, /) -> bytes:
        """Up to ``size`` bytes; nothing at the end."""


class _Counted(io.RawIOBase):
    """A stream whose every byte is on the budget."""

    def __init__(self, stream: _Readable, budget: _Budget) -> None:
        super().__init__()
        self._stream = stream
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        data = self._stream.read(len(buffer))
        self._budget.take(len(data))
        buffer[: len(data)] = data
        return len(data)


def members(
    file: IO[bytes], place: Provenance, *, clock: Callable[[], float] = time.monotonic
) -> Iterator[Fragment | Gap]:
    """The content of an open (seekable) archive that is at that place."""
    until = clock() + _SECONDS
    budget = _Budget(place=place, left=_BYTES, members=_MEMBERS, until=until, clock=clock)
    pieces = _bounded(file, place, budget)
    try:
        while (piece := within(SECONDS, lambda: next(pieces, None))) is not None:
            yield piece
    except OverTimeError:
        why = f"archive takes longer than {SECONDS:.0f} s for one piece; the rest is not read"
        yield Gap(path=place.path, why=why, incomplete=True)


def _bounded(file: IO[bytes], place: Provenance, budget: _Budget) -> Iterator[Fragment | Gap]:
    try:
        yield from _opened(file, place.path, budget, 1)
    except _OverBoundError as bound:
        yield Gap(path=place.path, why=f"archive {bound}; the rest is not read", incomplete=True)


def _opened(file: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Fragment | Gap]:
    head = file.read(HEAD)
    file.seek(0)
    try:
        if head.startswith(b"PK\x03\x04"):
            yield from _zip(file, path, budget, depth)
        elif head[TAR_MAGIC] == b"ustar":
            yield from _tar(file, path, budget, depth)
        else:
            name = path.rpartition("/")[2].rpartition("!")[2].rpartition(".")[0] or "content"
            with _unpacked(file, head) as stream:
                yield from _member(stream, f"{path}!{name}", budget, depth)
    except _DAMAGE as error:
        why = f"damaged or unsupported archive ({type(error).__name__})"
        yield Gap(path=path, why=why, incomplete=True)


def _unpacked(file: IO[bytes], head: bytes) -> gzip.GzipFile | bz2.BZ2File | lzma.LZMAFile:
    if head.startswith(b"\x1f\x8b"):
        return gzip.GzipFile(fileobj=file)
    return bz2.BZ2File(file) if head.startswith(b"BZh") else lzma.LZMAFile(file)


def _zip(file: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Fragment | Gap]:
    _look_at_directory(file)
    with zipfile.ZipFile(file) as opened:
        for info in opened.infolist():
            budget.enter()
            if info.is_dir():
                continue
            name = f"{path}!{display(info.filename)}"
            if info.flag_bits & 1:
                if _sealed(file, info.header_offset):
                    yield Gap(path=name, why="encrypted", incomplete=False)
                    continue
                info.flag_bits &= ~1  # the directory alone says so
            try:
                with opened.open(info) as stream:
                    yield from _member(stream, name, budget, depth)
            except _DAMAGE as error:
                why = f"damaged or unsupported member ({type(error).__name__})"
                yield Gap(path=name, why=why, incomplete=True)


def _look_at_directory(file: IO[bytes]) -> None:
    """Refuse one that would cost much memory, before it is parsed and by the parser's own eyes."""
    end = zipfile._EndRecData(file)  # type: ignore[attr-defined]  # noqa: SLF001
    if end is not None and end[zipfile._ECD_SIZE] > _DIRECTORY:  # type: ignore[attr-defined]  # noqa: SLF001
        raise _OverBoundError(f"has a directory of more than {_DIRECTORY >> 20} MiB")
    file.seek(0)


def _sealed(file: IO[bytes], offset: int) -> bool:
    """Whether the member itself says that it is encrypted, and not the directory alone."""
    file.seek(offset)
    head = file.read(8)
    return len(head) < 8 or bool(head[6] & 1)  # noqa: PLR2004  # signature, version, flags


class _TarMember(tarfile.TarInfo):
    """As usual, but facts about a member that are no facts are refused before they are read."""

    def _proc_member(self, archive: tarfile.TarFile) -> tarfile.TarInfo:
        if self.type in _ABOUT and self.size > _TAR_HEADER:
            raise _OverBoundError(f"has a header of more than {_TAR_HEADER >> 20} MiB")
        return super()._proc_member(archive)  # type: ignore[misc,no-any-return]


_ABOUT = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)


def _tar(file: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Fragment | Gap]:
    with tarfile.open(fileobj=file, mode="r|", tarinfo=_TarMember) as opened:
        for info in opened:
            budget.enter()
            stream = opened.extractfile(info) if info.isreg() else None
            if stream is not None:
                with stream:
                    yield from _member(stream, f"{path}!{display(info.name)}", budget, depth)
        end = opened.offset
    if not _ends(file, end):
        yield Gap(path=path, why="damaged tar: what is behind is not read", incomplete=True)


def _ends(file: IO[bytes], offset: int) -> bool:
    """Whether a tar's own end is there, and nothing but zeros behind it."""
    file.seek(offset)
    if len(first := file.read(_BLOCK)) < _BLOCK or first.strip(b"\0"):
        return False
    return not any(block.strip(b"\0") for block in iter(lambda: file.read(1 << 16), b""))


def _member(stream: _Readable, path: str, budget: _Budget, depth: int) -> Iterator[Fragment | Gap]:
    counted = io.BufferedReader(_Counted(stream, budget), HEAD * 16)
    if not is_archive(counted.peek(HEAD)):
        yield from fragments(counted.read, replace(budget.place, path=path))
    elif depth == _DEEPEST:
        yield Gap(path=path, why=f"nested deeper than {_DEEPEST} archives", incomplete=True)
    else:
        data = counted.read(_SEEKABLE + 1)
        if len(data) > _SEEKABLE:
            why = f"nested archive of more than {_SEEKABLE >> 20} MiB"
            yield Gap(path=path, why=why, incomplete=True)
        else:
            yield from _opened(io.BytesIO(data), path, budget, depth + 1)

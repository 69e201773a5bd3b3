"""Opens archives and compressed files, nested ones too, within bounds; nothing is written to disk.

A member is shown as ``outer.zip!inner/file``. What a bound leaves out makes the scan incomplete.
"""

from __future__ import annotations

import io
import struct
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
from stanch.scanner.sources.content.document.kind import document, package
from stanch.scanner.sources.content.document.kind import opened as read_document
from stanch.scanner.sources.content.document.opening import Opening
from stanch.scanner.sources.content.kept import kept
from stanch.scanner.sources.content.tar import Tar
from stanch.scanner.sources.content.text_or_binary import TAR_MAGIC, is_archive, is_wrapped
from stanch.scanner.sources.content.unpacked import DamagedError, unpacked, unpacker
from stanch.scanner.sources.content.window import Read, fragments
from stanch.scanner.sources.content.zip_directory import disagreement, unlisted, whole

LOOKED_AT = 8192
"""How much of a file says what it is, in bytes."""

__all__ = ["LOOKED_AT", "is_archive", "members"]
_DEEPEST = 4
_MEMBERS = 10_000
_BYTES = 256 << 20  # unpacked, over all layers
_SECONDS = 30.0
SECONDS = 5.0
"""Of processor time, until an archive has to give its next piece."""
_DIRECTORY = 4 << 20  # bytes of a zip's: far more than so many members need
_SEEKABLE = 64 << 20  # bytes of a nested zip, which has to be held in memory
_ZIP = b"PK\x03\x04"
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
    struct.error,
    zipfile.BadZipFile,
)


Cut = Callable[[Read, Provenance], Iterator[Fragment | Gap]]
"""Makes fragments of what a member holds."""


class _OverBoundError(Exception):
    """A bound was met; its text says which. A ``lasting`` one would be met again."""

    lasting = True


class _OverTimeError(_OverBoundError):
    """The bound is a time."""

    lasting = False


class _Budget(Record, frozen=False):
    """What one archive may still cost, and where it is."""

    place: Provenance
    left: int
    members: int
    until: float
    clock: Callable[[], float]
    cut: Cut

    def take(self, size: int) -> None:
        """Account for so many unpacked bytes."""
        self.left -= size
        if self.left < 0:
            raise _OverBoundError(f"unpacks to more than {_BYTES >> 20} MiB")
        if self.clock() > self.until:
            raise _OverTimeError(f"takes longer than {_SECONDS:.0f} s to unpack")

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
        self._read = kept(stream)
        self._budget = budget

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what io passes
        data = self._read(len(buffer))
        self._budget.take(len(data))
        buffer[: len(data)] = data
        return len(data)


def members(
    file: IO[bytes],
    place: Provenance,
    *,
    clock: Callable[[], float] = time.monotonic,
    cut: Cut = fragments,
) -> Iterator[Fragment | Gap]:
    """The content of an open (seekable) archive that is at that place, cut by ``cut``."""
    until = clock() + _SECONDS
    budget = _Budget(place=place, left=_BYTES, members=_MEMBERS, until=until, clock=clock, cut=cut)
    pieces = _bounded(file, place, budget)
    try:
        while (piece := within(SECONDS, lambda: next(pieces, None))) is not None:
            yield piece
    except OverTimeError:
        why = f"archive takes longer than {SECONDS:.0f} s for one piece; the rest is not read"
        yield Gap(path=place.path, why=why, incomplete=True)


def _bounded(file: IO[bytes], place: Provenance, budget: _Budget) -> Iterator[Fragment | Gap]:
    try:
        head = file.read(LOOKED_AT)
        file.seek(0)
        yield from _opened(file, head, place.path, budget, 1)
    except _OverBoundError as bound:
        why = f"archive {bound}; the rest is not read"
        yield Gap(path=place.path, why=why, incomplete=True, lasting=bound.lasting)


def _opened(
    file: IO[bytes], head: bytes, path: str, budget: _Budget, depth: int
) -> Iterator[Fragment | Gap]:
    make, kind = unpacker(head), document(head)
    try:
        if kind is not None:
            yield from read_document(kind, file, _opening(path, budget, depth))
        elif make is not None:
            name = path.rpartition("/")[2].rpartition("!")[2].rpartition(".")[0] or "content"
            with unpacked(file.read, make) as stream:
                yield from _member(stream, f"{path}!{name}", budget, depth)
        elif head[TAR_MAGIC] == b"ustar":
            yield from _tar(file, path, budget, depth)
        else:
            yield from _zip(file, path, budget, depth)
    except DamagedError as error:
        yield Gap(path=path, why=f"damaged archive: {error}", incomplete=True, lasting=True)
    except _DAMAGE as error:
        what = "archive" if kind is None else kind.name
        why = f"damaged or unsupported {what} ({type(error).__name__})"
        yield Gap(path=path, why=why, incomplete=True, lasting=True)


def _opening(path: str, budget: _Budget, depth: int) -> Opening:
    """What a reader of a document at that path is given."""
    return Opening(
        place=replace(budget.place, path=path),
        take=budget.take,
        inner=lambda stream, name: _member(stream, f"{path}!{name}", budget, depth),
    )


def _zip(file: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Fragment | Gap]:
    _look_at_directory(file)
    with zipfile.ZipFile(file) as opened:
        if lost := unlisted(file, opened):
            why = f"holds {lost:,} bytes that its directory does not list"
            yield Gap(path=path, why=why, incomplete=True, lasting=True)
        differs = {id(info): disagreement(file, info) for info in opened.infolist()}
        folders = {id(info) for info in opened.infolist() if info.is_dir() and not info.file_size}
        whole(opened)
        read = package(opened.namelist())
        done = (yield from read(opened, _opening(path, budget, depth))) if read else ()
        for info in opened.infolist():
            budget.enter()
            last = info is opened.getinfo(info.filename)  # of a name that comes twice
            if id(info) in folders or (last and info.filename in done):
                continue
            name = f"{path}!{display(info.filename)}"
            if differ := differs[id(info)]:
                yield Gap(path=name, why=differ, incomplete=True, lasting=True)
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
                yield Gap(path=name, why=why, incomplete=True, lasting=True)


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


def _tar(file: IO[bytes], path: str, budget: _Budget, depth: int) -> Iterator[Fragment | Gap]:
    tar = Tar(file)
    for entry in tar:
        budget.enter()
        if entry.size:
            yield from _member(tar, f"{path}!{display(entry.name)}", budget, depth)
    tar.finish()


def _member(stream: _Readable, path: str, budget: _Budget, depth: int) -> Iterator[Fragment | Gap]:
    counted = io.BufferedReader(_Counted(stream, budget), LOOKED_AT)
    head = counted.peek(LOOKED_AT)
    kind = document(head)
    if not (is_archive(head) or is_wrapped(head)):
        yield from budget.cut(kept(counted), replace(budget.place, path=path))
    elif depth == _DEEPEST and kind is None:
        yield Gap(
            path=path, why=f"nested deeper than {_DEEPEST} archives", incomplete=True, lasting=True
        )
    elif kind is None and not head.startswith(_ZIP):
        yield from _opened(counted, head, path, budget, depth + 1)
    else:  # a zip's directory is at its end, and documents are read here and there
        data = counted.read(_SEEKABLE + 1)
        if len(data) > _SEEKABLE:
            what = "zip" if kind is None else kind.name
            why = f"nested {what} of more than {_SEEKABLE >> 20} MiB"
            yield Gap(path=path, why=why, incomplete=True, lasting=True)
        else:
            yield from _opened(io.BytesIO(data), head, path, budget, depth + 1)

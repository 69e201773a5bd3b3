"""Reads blobs by object id, from ``git cat-file``."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterator
from io import BytesIO
from itertools import pairwise
from typing import IO, NamedTuple

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.sources.content.display_path import display
from stanch.scanner.sources.content.text_or_binary import (
    HEAD,
    WINDOW,
    is_archive,
    is_binary,
    is_wrapped,
)
from stanch.scanner.sources.content.window import Read, fragments
from stanch.scanner.sources.git.bounded_process import Git
from stanch.scanner.sources.git.common_affix import changes
from stanch.scanner.sources.git.repository import Repository, start, why
from stanch.scanner.sources.hunk import Hunk, hunks

_BLOCK = 1 << 16
_LARGEST_ARCHIVE = 1 << 30
_FIELDS = 3  # of an answer: "<oid> <type> <size>"
_FEW = 7  # digits of a size; all that have fewer are below a window, and most contents do
_HELD = 32 << 20  # bytes of the versions that were read last

BASE = "base"
"""The commit of a blob that was read before: what it holds is no news in its file's later versions.
"""


class Blob(NamedTuple):
    """One content and the place it is reported at; small, since histories have very many.

    ``commit`` is the introducing one, empty for what is only staged.
    """

    oid: str
    path: str
    commit: str = ""

    @property
    def where(self) -> str:
        """Path and commit for a message."""
        return f"{display(self.path)} @ {self.commit[:12]}" if self.commit else display(self.path)


class BlobReader(Record, frozen=False):
    """The reading half of the git sources: one git for each batch."""

    repository: Repository
    place: Callable[[Blob], Provenance]
    _git: Git | None = None
    _last: OrderedDict[str, bytes] = fresh(OrderedDict)  # the versions read last, by path
    _held: int = 0  # bytes of them

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Gap]:
        """The blobs' content; a missing or broken object is a gap, and the next ones are read."""
        for blob, content in self._contents(batch):
            if isinstance(content, bytes):
                yield from self._whole(blob, content)
            else:
                yield content

    def added(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Hunk | Gap]:
        """As :meth:`read`, but of a version of a file that was read before only what is new.

        The versions of one file have to come oldest first.
        """
        # File by file, the last version of another file will not be asked for again.
        alone = all(one.path <= other.path for one, other in pairwise(batch))
        for blob, content in self._contents(batch):
            if not isinstance(content, bytes):
                if blob.commit != BASE or not isinstance(content, Gap):
                    yield content
            elif len(content) > WINDOW or is_binary(content) or is_wrapped(content):
                yield from self._whole(blob, content)
            elif (before := self._exchanged(blob.path, content, alone=alone)) is None:
                yield Hunk(content, 0, len(content), self.place, blob)
            else:
                yield from hunks(content, changes(before, content), self.place, blob)

    def close(self) -> None:
        """End this process's git."""
        if self._git is not None:
            self._git.kill()
            with self._git:
                self._git = None

    def _contents(self, batch: tuple[Blob, ...]) -> Iterator[tuple[Blob, bytes | Fragment | Gap]]:
        """Whole contents as far as they are small; pieces of the others."""
        left = deque(batch)
        while left:  # a broken object ends git: go on behind it
            feed = "".join(f"{blob.oid}\n" for blob in left).encode()
            self._git = start(self.repository, "cat-file", "--batch", "--buffer", feed=feed)
            with self._git as git:
                out = _pipe(git.stdout)
                alive = True
                while left and alive:
                    blob, header = left.popleft(), out.readline().split()
                    if len(header) == _FIELDS and header[1] == b"blob" and len(header[2]) < _FEW:
                        size = int(header[2])
                        data = out.read(size + 1)  # and the line feed
                        if alive := len(data) > size:
                            yield blob, data[:size]
                    else:
                        alive = yield from self._answer(blob, header, out)
            if not alive:
                complained = why(self.repository, git, "cat-file")
                yield blob, _broken(blob, f"broken object: {complained}")
        self._git = None

    def _answer(
        self, blob: Blob, header: list[bytes], out: IO[bytes]
    ) -> Generator[tuple[Blob, bytes | Fragment | Gap], None, bool]:
        """What git says of one object that is large or no blob; returns whether it lives on."""
        if len(header) != _FIELDS:
            if header:
                yield blob, _broken(blob, "the object is not in the repository")
            return bool(header)
        content = _Limited(out, int(header[2]))
        if header[1] != b"blob":
            yield blob, _broken(blob, f"a {header[1].decode('ascii', 'replace')}, not a blob")
        elif content.size > WINDOW:
            for piece in self._streamed(blob, content):
                yield blob, piece
        else:
            data = content.read(content.size)
            if len(data) == content.size:
                yield blob, data
        return content.finished()

    def _whole(self, blob: Blob, data: bytes) -> Iterator[Fragment | Gap]:
        """Content that is in memory; an archive's members."""
        if _opens(data):
            yield from self._members(blob, BytesIO(data))
        else:
            yield from fragments(BytesIO(data).read, self.place(blob), len(data))

    def _streamed(self, blob: Blob, content: _Limited) -> Iterator[Fragment | Gap]:
        """Content that is not held in memory; an archive has to be where one can go back."""
        head = content.read(HEAD)
        if not _opens(head):
            yield from fragments(_after(head, content.read), self.place(blob))
        elif content.size > _LARGEST_ARCHIVE:
            gap = _broken(blob, f"archive of more than {_LARGEST_ARCHIVE >> 20} MiB")
            yield replace(gap, lasting=True)
        else:
            from tempfile import TemporaryFile  # noqa: PLC0415  # hardly any is so large

            with TemporaryFile(dir=self.repository.shadow) as file:
                while head:
                    file.write(head)
                    head = content.read(_BLOCK)
                file.seek(0)
                yield from self._members(blob, file)

    def _members(self, blob: Blob, file: IO[bytes]) -> Iterator[Fragment | Gap]:
        from stanch.scanner.sources.content.archive import members  # noqa: PLC0415  # most histories have none, and start-up counts

        for piece in members(file, self.place(blob)):
            if isinstance(piece, Gap) and piece.incomplete:
                gap = _broken(blob._replace(path=piece.path), piece.why)
                yield replace(gap, lasting=True)
            else:
                yield piece

    def _exchanged(self, path: str, content: bytes, *, alone: bool) -> bytes | None:
        """The version of that file that was read before; this one is remembered in its place."""
        last = self._last
        before = last.pop(path, None)
        if alone and before is None:
            last.clear()
            self._held = 0
        last[path] = content
        self._held += len(content) - (len(before) if before else 0)
        while self._held > _HELD:
            self._held -= len(last.popitem(last=False)[1])
        return before


class _Limited:
    """A stream's next ``size`` bytes, always read to their end so that the next answer is found."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size
        self.size = size
        self._cut = False

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes of what is left."""
        if not self._left:
            return b""
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        if not data:  # git has died
            self._cut, self._left = True, 0
        return data

    def finished(self) -> bool:
        """Throw away what is left and the line feed behind; false when git died before it."""
        while self.read(_BLOCK):
            pass
        return not self._cut and bool(self._stream.read(1))


def _opens(head: bytes) -> bool:
    """Whether there is more in it than text: an archive or a document."""
    return (is_binary(head) and is_archive(head)) or is_wrapped(head)


def _after(head: bytes, read: Read) -> Read:
    """A reader of what was read already, and then of the rest."""
    waiting = BytesIO(head)
    return lambda size: waiting.read(size) or read(size)


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("this git was started without a pipe")
    return stream


def _broken(blob: Blob, why: str) -> Gap:
    return Gap(path=blob.where, why=why, incomplete=True)

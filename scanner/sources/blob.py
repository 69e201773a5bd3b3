"""Reads blobs by object id: from the packs, and what is not there from ``git cat-file``."""

from __future__ import annotations

import subprocess
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import suppress
from io import BytesIO
from itertools import pairwise
from typing import IO, NamedTuple

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import Record, fresh, replace
from stanch.scanner.sources.added import alike
from stanch.scanner.sources.bound import HEAD, WINDOW, is_binary
from stanch.scanner.sources.excerpt import Excerpt, around
from stanch.scanner.sources.pack import Packed, Packs, unpacked
from stanch.scanner.sources.place import display
from stanch.scanner.sources.repository import Repository, complaint, said, start
from stanch.scanner.sources.window import Read, fragments

_BLOCK = 1 << 16
_LARGEST_ARCHIVE = 1 << 30
_HELD = 32 << 20  # bytes of the versions that were read last


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
    """The reading half of the git sources. Each process that reads starts a git of its own."""

    repository: Repository
    place: Callable[[Blob], Provenance]
    _packs: Packs | None = None
    _git: subprocess.Popen[bytes] | None = None
    _last: OrderedDict[str, Packed] = fresh(OrderedDict)  # by path
    _held: int = 0  # bytes of them

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Gap]:
        """The blobs' content; a missing or broken object is a gap, and the next ones are read."""
        for blob, content in self._contents(batch):
            if isinstance(content, Packed):
                yield from self._whole(blob, content.data)
            else:
                yield content

    def added(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Excerpt | Gap]:
        """As :meth:`read`, but of a version of a file that was read before only what is new.

        The versions of one file have to come oldest first.
        """
        # File by file, the last version of another file will not be asked for again.
        alone = all(one.path <= other.path for one, other in pairwise(batch))
        for blob, content in self._contents(batch):
            if not isinstance(content, Packed):
                yield content
            elif len(content.data) > WINDOW or is_binary(content.data):
                yield from self._whole(blob, content.data)
            elif (before := self._exchanged(blob.path, content, alone=alone)) is None:
                yield Fragment(data=content.data, provenance=self.place(blob))
            else:
                front, behind = content.alike(before) or alike(before.data, content.data)
                if front < len(content.data):
                    end = len(content.data) - behind
                    yield around(content.data, front, end, self.place, blob)

    def close(self) -> None:
        """End this process's git and forget what was read."""
        if self._packs is not None:
            self._packs.close()
            self._packs = None
        self._end()

    def _end(self) -> None:
        if self._git is not None:
            with self._git as git:
                if git.stdin is not None:
                    git.stdin.close()
                if git.stdout is not None:
                    git.stdout.close()
            self._git = None

    def _contents(self, batch: tuple[Blob, ...]) -> Iterator[tuple[Blob, Packed | Fragment | Gap]]:
        """Whole contents as far as they are small; pieces of the others."""
        packs = self._packs = self._packs or Packs(folder=self.repository.packs)
        for blob in batch:
            packed = packs.read(blob.oid)
            if packed is not None:
                yield blob, packed
            else:
                for piece in self._from_git(blob):
                    yield blob, piece

    def _from_git(self, blob: Blob) -> Iterator[Packed | Fragment | Gap]:
        """What is in no pack, or too large to be held, or broken."""
        git = self._git = self._git or start(self.repository, "cat-file", "--batch", talk=True)
        with suppress(BrokenPipeError):  # git has died: the empty answer says so
            _pipe(git.stdin).write(f"{blob.oid}\n".encode())
            _pipe(git.stdin).flush()
        out = _pipe(git.stdout)
        header = out.readline().split()
        if len(header) != 3:  # noqa: PLR2004  # "<oid> <type> <size>"
            yield (
                _broken(blob, "the object is not in the repository") if header else self._gap(blob)
            )
            return
        content = _Limited(out, int(header[2]))
        if header[1] != b"blob":
            yield _broken(blob, f"a {header[1].decode('ascii', 'replace')}, not a blob")
        elif content.size > WINDOW:
            yield from self._streamed(blob, content)
        else:
            data = content.read(content.size)
            if len(data) == content.size:
                yield unpacked(data)
        if not content.finished():
            yield self._gap(blob)

    def _whole(self, blob: Blob, data: bytes) -> Iterator[Fragment | Gap]:
        """Content that is in memory; an archive's members."""
        if is_binary(data) and self._is_archive(data):
            yield from self._members(blob, BytesIO(data))
        else:
            yield from fragments(BytesIO(data).read, self.place(blob), len(data))

    def _streamed(self, blob: Blob, content: _Limited) -> Iterator[Fragment | Gap]:
        """Content that is not held in memory; an archive has to be where one can go back."""
        head = content.read(HEAD)
        if not (is_binary(head) and self._is_archive(head)):
            yield from fragments(_after(head, content.read), self.place(blob))
        elif content.size > _LARGEST_ARCHIVE:
            gap = _broken(blob, f"archive of more than {_LARGEST_ARCHIVE >> 20} MiB")
            yield replace(gap, lasting=True)
        else:
            from tempfile import TemporaryFile  # noqa: PLC0415  # as below

            with TemporaryFile(dir=self.repository.shadow) as file:
                while head:
                    file.write(head)
                    head = content.read(_BLOCK)
                file.seek(0)
                yield from self._members(blob, file)

    def _is_archive(self, head: bytes) -> bool:
        # Loaded late: most histories have no archives, and start-up counts.
        from stanch.scanner.sources import archive  # noqa: PLC0415

        return archive.is_archive(head[: archive.HEAD])

    def _members(self, blob: Blob, file: IO[bytes]) -> Iterator[Fragment | Gap]:
        from stanch.scanner.sources.archive import members  # noqa: PLC0415  # as above

        for piece in members(file, self.place(blob)):
            if isinstance(piece, Gap) and piece.incomplete:
                gap = _broken(blob._replace(path=piece.path), piece.why)
                yield replace(gap, lasting=True)
            else:
                yield piece

    def _exchanged(self, path: str, content: Packed, *, alone: bool) -> Packed | None:
        """The version of that file that was read before; this one is remembered in its place."""
        last = self._last
        before = last.pop(path, None)
        if alone and before is None:
            last.clear()
            self._held = 0
        last[path] = content
        self._held += len(content.data) - (len(before.data) if before else 0)
        while self._held > _HELD:
            self._held -= len(last.popitem(last=False)[1].data)
        return before

    def _gap(self, blob: Blob) -> Gap:
        self._end()
        return _broken(blob, f"broken object: {said(complaint(self.repository, 'cat-file'))}")


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

"""Reads blobs by object id through one long-lived ``git cat-file --batch``."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from io import BytesIO
from typing import IO, NamedTuple

from scanner.model.fragment import Fragment, Gap
from scanner.model.provenance import Provenance
from scanner.sources.added import added
from scanner.sources.bound import WINDOW, is_binary
from scanner.sources.place import display
from scanner.sources.repository import Repository, complaint, said, start
from scanner.sources.window import fragments

_BLOCK = 1 << 16


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


@dataclass(slots=True, kw_only=True)
class BlobReader:
    """The reading half of the git sources. Each process that reads starts a git of its own."""

    repository: Repository
    place: Callable[[Blob], Provenance]
    _git: subprocess.Popen[bytes] | None = field(default=None)

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Gap]:
        """The blobs' content; a missing or broken object is a gap, and the next ones are read.

        Of consecutive blobs with the same path only what each adds to the one before.
        """
        path, base = "", b""
        waiting = list(reversed(batch))
        while waiting:
            git = self._asked(waiting)
            while waiting:
                blob = waiting.pop()
                content = self._answer(git, blob)
                if isinstance(content, Gap):
                    yield content
                    break  # a broken object ends git: ask the next one for the rest
                if content is None:
                    yield _broken(blob, "the object is not in the repository")
                    continue
                base = yield from self._pieces(blob, content, base if blob.path == path else b"")
                path = blob.path
                if not content.finished():
                    yield self._gap(blob)
                    break

    def close(self) -> None:
        """End this process's git."""
        if self._git is not None:
            with self._git as git:
                if git.stdin is not None:
                    git.stdin.close()
                if git.stdout is not None:
                    git.stdout.close()
            self._git = None

    def _asked(self, waiting: list[Blob]) -> subprocess.Popen[bytes]:
        """The running git with every blob asked for at once: a batch of ids fits into its pipe."""
        git = self._git or start(self.repository, "cat-file", "--batch", talk=True)
        self._git = git
        asked = "".join(f"{blob.oid}\n" for blob in reversed(waiting))
        with suppress(BrokenPipeError):  # git has died: the empty answer says so
            _pipe(git.stdin).write(asked.encode())
            _pipe(git.stdin).flush()
        return git

    def _answer(self, git: subprocess.Popen[bytes], blob: Blob) -> _Limited | Gap | None:
        """The content that follows, None when there is no such object."""
        out = _pipe(git.stdout)
        header = out.readline().split()
        if len(header) != 3:  # noqa: PLR2004  # "<oid> <type> <size>"
            return None if header else self._gap(blob)
        return _Limited(out, int(header[2]), kind=header[1].decode("ascii", "replace"))

    def _pieces(
        self, blob: Blob, content: _Limited, base: bytes
    ) -> Generator[Fragment | Gap, None, bytes]:
        """What is new in the content; returns the content for the next version, if small."""
        place = self.place(blob)
        if content.kind != "blob":
            yield _broken(blob, f"a {content.kind}, not a blob")
            return b""
        if content.size > WINDOW:
            yield from fragments(content.read, place)
            return b""
        data = content.read(content.size)
        if len(data) < content.size:
            return b""
        if is_binary(data):
            yield from fragments(BytesIO(data).read, place, len(data))
            return b""
        piece = added(base, data, place) if base else Fragment(data=data, provenance=place)
        if piece is not None:
            yield piece
        return data

    def _gap(self, blob: Blob) -> Gap:
        self.close()
        return _broken(blob, f"broken object: {said(complaint(self.repository, 'cat-file'))}")


class _Limited:
    """A stream's next ``size`` bytes, always read to their end so that the next answer is found."""

    def __init__(self, stream: IO[bytes], size: int, *, kind: str) -> None:
        self._stream = stream
        self._left = size
        self.size = size
        self.kind = kind
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


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("this git was started without a pipe")
    return stream


def _broken(blob: Blob, why: str) -> Gap:
    return Gap(path=blob.where, why=why, incomplete=True)

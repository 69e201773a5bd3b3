"""Reads blobs by object id through one long-lived ``git cat-file --batch``."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO

from scanner.model.fragment import Fragment, Gap
from scanner.model.provenance import InCommit, InIndex
from scanner.sources.repository import Repository, complaint, said, start
from scanner.sources.window import fragments

_BLOCK = 1 << 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Blob:
    """One content and the place it is reported at."""

    oid: str
    provenance: InCommit | InIndex


@dataclass(slots=True, kw_only=True)
class BlobReader:
    """The reading half of the git sources. Each process that reads starts a git of its own."""

    repository: Repository
    _git: subprocess.Popen[bytes] | None = field(default=None)

    def read(self, batch: tuple[Blob, ...]) -> Iterator[Fragment | Gap]:
        """The blobs' content; a missing or broken object is a gap, and the next ones are read."""
        for blob in batch:
            git = self._git or start(self.repository, "cat-file", "--batch", talk=True)
            self._git = git
            yield from self._content(git, blob)

    def close(self) -> None:
        """End this process's git."""
        if self._git is not None:
            with self._git as git:
                if git.stdin is not None:
                    git.stdin.close()
                if git.stdout is not None:
                    git.stdout.close()
            self._git = None

    def _content(self, git: subprocess.Popen[bytes], blob: Blob) -> Iterator[Fragment | Gap]:
        out = _pipe(git.stdout)
        try:
            _pipe(git.stdin).write(blob.oid.encode() + b"\n")
            _pipe(git.stdin).flush()
        except BrokenPipeError:
            pass  # git has died: the empty answer below says so
        header = out.readline().split()
        if len(header) != 3:  # noqa: PLR2004  # "<oid> <type> <size>"
            yield self._gap(git, blob, missing=bool(header))
            return
        content = _Limited(out, int(header[2]))
        try:
            if header[1] == b"blob":
                yield from fragments(content.read, blob.provenance)
            else:
                yield _broken(blob, f"a {header[1].decode('ascii', 'replace')}, not a blob")
        finally:
            content.drain()
            out.read(1)
        if content.cut:
            yield self._gap(git, blob, missing=False)

    def _gap(self, git: subprocess.Popen[bytes], blob: Blob, *, missing: bool) -> Gap:
        if missing:
            return _broken(blob, "the object is not in the repository")
        self.close()
        del git
        return _broken(blob, f"broken object: {said(complaint(self.repository, 'cat-file'))}")


class _Limited:
    """A stream's next ``size`` bytes, always read to their end so that the next answer is found."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self._left = size
        self.cut = False

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes of what is left."""
        if not self._left:
            return b""
        data = self._stream.read(min(size, self._left))
        self._left -= len(data)
        if not data:
            self.cut, self._left = True, 0
        return data

    def drain(self) -> None:
        """Throw the rest away."""
        while self.read(_BLOCK):
            pass


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise ValueError("this git was started without a pipe")
    return stream


def _broken(blob: Blob, why: str) -> Gap:
    place = blob.provenance
    where = f"{place.path} @ {place.commit[:12]}" if isinstance(place, InCommit) else place.path
    return Gap(path=where, why=why, incomplete=True)

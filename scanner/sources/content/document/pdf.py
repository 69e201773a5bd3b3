"""The text of a PDF, page by page, read by a process of its own that has bounds.

Pages are compressed and kerned, and what reads them is large: none of it runs in the process that
holds secrets. One such process reads all documents of a scan, since it loads slowly; one that dies
or takes too long is replaced.
"""

from __future__ import annotations

import atexit
import os
import select
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

from stanch.scanner.model.fragment import Gap
from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces, Text

LARGEST = 64 << 20  # bytes, which have to be held in memory
SECONDS = 20.0
"""Until a document has to be read."""
_HEADER = struct.Struct(">cHI")
_END, _FAILED, _FILE, _SEALED = b"e", b"f", b"a", b"s"
_CHILD = Path(__file__).with_name("pdf_child.py")


def read(file: IO[bytes], opening: Opening) -> Pieces:
    """Its pages, what is beside them, and the files attached to it."""
    data = file.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise DamagedError(f"of more than {LARGEST >> 20} MiB")
    text = Text(opening)
    failed = ""
    for kind, name, content in _child().read(data):
        if kind == _FAILED:
            failed = failed or content.decode("utf-8", "replace")
        elif kind == _SEALED:
            yield Gap(path=opening.place.path, why="encrypted", incomplete=False)
        elif kind == _FILE:
            yield from opening.inner(BytesIO(content), name)
        else:
            yield from text.add(name, content)
    yield from text.done()
    if failed:
        raise DamagedError(failed)


class _Child:
    """The process that reads, of which each scanning process has its own."""

    def __init__(self) -> None:
        self.owner = os.getpid()
        # Isolated: neither the scanned folder nor the environment says what is imported.
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
        )
        self.usable = True

    def read(self, data: bytes) -> Iterator[tuple[bytes, str, bytes]]:
        """Kind, name and content of each piece; a last one says what went wrong."""
        self.usable = False  # until it has answered to the end
        until = time.monotonic() + SECONDS
        try:
            self._send(data)
            while True:
                kind, length, size = _HEADER.unpack(self._receive(_HEADER.size, until))
                name = self._receive(length, until).decode("utf-8", "replace")
                content = self._receive(size, until)
                if kind == _END:
                    self.usable = True
                    return
                yield kind, name, content
        except TimeoutError:
            yield _FAILED, "", b"takes longer than %d s" % SECONDS
        except (EOFError, BrokenPipeError, struct.error):
            yield _FAILED, "", b"its reader gave up: it needs too much time or memory, or is broken"
        finally:
            if not self.usable:
                self.close()

    def _send(self, data: bytes) -> None:
        if self._process.stdin is not None:
            self._process.stdin.write(len(data).to_bytes(8, "big") + data)
            self._process.stdin.flush()

    def _receive(self, size: int, until: float) -> bytes:
        parts, left = [], size
        pipe = self._process.stdout
        while left and pipe is not None:
            seconds = until - time.monotonic()
            if seconds <= 0 or not select.select([pipe], [], [], seconds)[0]:
                raise TimeoutError
            got = os.read(pipe.fileno(), min(left, 1 << 20))
            if not got:
                raise EOFError
            parts.append(got)
            left -= len(got)
        return b"".join(parts)

    def close(self) -> None:
        """End it."""
        self.usable = False
        if self.owner != os.getpid():
            return  # another process waits for it
        self._process.kill()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except BrokenPipeError:  # what could not be sent is of no use any more
                    continue
        self._process.wait()


class _Running:
    child: _Child | None = None


def _child() -> _Child:
    child = _Running.child
    if child is None or not child.usable or child.owner != os.getpid():
        if child is None:
            atexit.register(close)
        child = _Running.child = _Child()
    return child


def close() -> None:
    """End the process that reads, if there is one."""
    if _Running.child is not None:
        _Running.child.close()
        _Running.child = None

"""Masks a stream as it comes: what may become a value waits, all other bytes pass as they are.

masked = MaskedStream(masking)
write(masked.feed(data))     # as much as is certain
write(masked.flush())        # nothing more has come for a while: whole lines, and prompts
write(masked.finish())       # the end

Without a flush the output depends on what was fed, and not on how it was cut.
"""

from __future__ import annotations

import re

from stanch.scanner.scan.mask.known_value import PROMPT
from stanch.scanner.scan.mask.masking import Masking, replaced

BLOCK = 1 << 20
"""Bytes that are judged together when they come quickly."""
MARGIN = 32 << 10
"""Bytes in front of and behind what is judged: longer than any secret and its surroundings."""

_LONGEST_KEY = 64 << 10
_LONGEST_RUN = 256 << 10  # as much as the engine opens
_PROMPT = re.compile(PROMPT.pattern + rb"\Z")
_LONGEST_PROMPT = 256
#: Words in a row may be a recovery phrase.
_PHRASE = re.compile(rb"(?:\b[a-z]{3,8}\s+){2,}[:?>$#%\])\s.]*\Z")
_KEY = re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY")
_KEY_ENDS = b"-----END "
_KEY_LINE = re.compile(rb"(?:[A-Za-z0-9+/]{40,}={0,2}|\A\s*|[\w-]+: [^\n]*)[\"',;\\n\s]{0,8}\Z")
#: The last line of a wrapped value may be followed by more of it; a digest is complete.
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{56,}={0,2}\r?\Z")
_DIGEST = re.compile(rb"(?:[0-9a-f]{64}|[0-9a-f]{96}|[0-9a-f]{128})\r?\Z")


class MaskedStream:
    """One stream; memory is bounded by a block and its margins, or one open key."""

    def __init__(self, masking: Masking, *, block: int = BLOCK, margin: int = MARGIN) -> None:
        self._masking = masking
        self._block, self._margin = block, max(margin, masking.known.longest)
        self._buffer = bytearray()
        self._done = 0  # bytes of the buffer that have been given out

    @property
    def waits(self) -> bool:
        """Whether anything was fed and not given out."""
        return len(self._buffer) > self._done

    def feed(self, data: bytes) -> bytes:
        """Take what has come; give what is certain."""
        self._buffer += data
        out = []
        while len(self._buffer) - self._done >= self._block + self._margin:
            end = self._done + self._block
            cut = self._buffer.rfind(b"\n", self._done, end) + 1 or end
            out.append(self._given(cut, end + self._margin, over=True))
        return b"".join(out)

    def flush(self) -> bytes:
        """Give all that can be no part of a value that is still being written."""
        waiting = bytes(self._buffer[self._done :])
        cut = self._open(waiting)
        return self._given(self._done + cut, len(self._buffer), over=False) if cut else b""

    def finish(self) -> bytes:
        """Give the rest: nothing follows."""
        size = len(self._buffer)
        rest = self._given(size, size, over=True) if self.waits else b""
        self._buffer.clear()
        self._done = 0
        return rest

    def _given(self, cut: int, end: int, *, over: bool) -> bytes:
        """What is in front of ``cut``, judged with all up to ``end``.

        A value across the cut goes out with what is in front of it if it is ``over``, else it
        waits.
        """
        begin = max(0, self._done - self._margin)
        window = bytes(self._buffer[begin:end])
        places = self._masking.places(window)
        first, last = self._done - begin, cut - begin
        for start, stop in places:
            if start < last < stop:
                last = stop if over else max(first, start)
        out = replaced(window, first, last, places)
        self._done = begin + last
        drop = self._done - self._margin
        if drop > 0:
            del self._buffer[:drop]
            self._done = self._margin
        return out

    def _open(self, waiting: bytes) -> int:
        """Up to where nothing is open any more."""
        cut = waiting.rfind(b"\n") + 1
        partial = waiting[cut:]
        if partial and self._asks(partial):
            cut = len(waiting)
        lines = waiting[:cut]
        return min(cut, self._masking.known.begun(lines), _key(lines), _run(lines))

    def _asks(self, partial: bytes) -> bool:
        """Whether a line without an end is for somebody to read now, and no part of a value."""
        return (
            len(partial) <= _LONGEST_PROMPT
            and _PROMPT.search(partial) is not None
            and _PHRASE.search(partial) is None
            and not self._masking.known.paused(partial)
        )


def _key(lines: bytes) -> int:
    """Where a private key begins that has not ended, as far as its lines look like one."""
    begun = None
    for begun in _KEY.finditer(lines):  # noqa: B007  # the last one counts
        pass
    if begun is None or lines.find(_KEY_ENDS, begun.end()) >= 0:
        return len(lines)
    if len(lines) - begun.start() > _LONGEST_KEY:
        return len(lines)
    body = lines[begun.end() :].splitlines()[1:-1]  # the last line may be a short one
    if all(_KEY_LINE.search(line) for line in body):
        return lines.rfind(b"\n", 0, begun.start()) + 1
    return len(lines)


def _run(lines: bytes) -> int:
    """Where encoded text begins that may go on in the next line."""
    at = len(lines)
    while at and len(lines) - at < _LONGEST_RUN:
        begin = lines.rfind(b"\n", 0, at - 1) + 1
        run = _RUN.search(lines, begin, at - 1)
        if run is None or _DIGEST.search(lines, begin, at - 1):
            break
        at = begin
        if run.start() > begin:
            break
    return at

"""Cuts content of any size into fragments, with flat memory and every finding counted once."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Iterator

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.sources.content.text_or_binary import WINDOW, encoding_of, is_opaque

MARGIN = 32 << 10
"""Bytes of context on both sides of a window: longer than any secret and its surroundings."""

BINARY = "binary"
"""Why most of what is not read is not."""

_HOLE = bytes(WINDOW)
_START = (1, 1)
_ENDLESS = (1 << 62, 1)

Read = Callable[[int], bytes]
"""Returns up to that many bytes; nothing at the end."""


def fragments(
    read: Read, provenance: Provenance, size: int = WINDOW, *, text: bool = False
) -> Iterator[Fragment | Gap]:
    """The content behind ``read`` as one or more fragments, or a gap when it is binary.

    ``size`` is how long the content should be, so that a small one is read in one small call.

    UTF-16 and UTF-32 are transcoded to UTF-8, and columns count its bytes. Of binary content only
    key stores are fragments, unless it is known to be ``text``. What comes before ``read`` raises
    is given before it is raised on.
    """
    broken: list[Exception] = []

    def sound(size: int) -> bytes:
        try:
            return b"" if broken else read(size)
        except Exception as error:  # noqa: BLE001  # raised below
            broken.append(error)
            return b""

    yield from _fragments(sound, provenance, size, text=text)
    if broken:
        raise broken[0]


def _fragments(
    read: Read, provenance: Provenance, size: int, *, text: bool
) -> Iterator[Fragment | Gap]:
    head = read(size + 1) if size < WINDOW else b""
    if len(head) != size:  # it grew or shrank meanwhile, or its size is not known (/proc)
        head = _fill(read, head, WINDOW + 1)
    encoding = encoding_of(head)
    if encoding is not None:
        read = _transcoded(read, head, encoding)
        head = _fill(read, b"", WINDOW + 1)
    if not text and is_opaque(head):
        yield Gap(path=provenance.path, why=BINARY, incomplete=False)
    elif len(head) <= WINDOW:
        yield Fragment(data=head, provenance=provenance)
    else:
        yield from _windows(read, head, provenance)


def _windows(read: Read, buffer: bytes, provenance: Provenance) -> Iterator[Fragment]:
    base = _START  # position of buffer[0]
    begin = 0  # where in the buffer the owned stretch begins
    while True:
        buffer = _fill(read, buffer, begin + WINDOW + MARGIN)
        last = len(buffer) < begin + WINDOW + MARGIN
        end = len(buffer) if last else begin + WINDOW
        # Holes of sparse files arrive as zeros: nothing to find, and gigabytes of them are common.
        if last or not buffer.startswith(_HOLE, begin):
            yield Fragment(
                data=buffer,
                provenance=provenance,
                first_line=base[0],
                first_column=base[1],
                owned=(
                    _advance(base, buffer, begin),
                    _ENDLESS if last else _advance(base, buffer, end),
                ),
            )
        if last:
            return
        keep = end - MARGIN
        base = _advance(base, buffer, keep)
        buffer, begin = buffer[keep:], MARGIN


def _advance(position: tuple[int, int], data: bytes, size: int) -> tuple[int, int]:
    """The position ``size`` bytes into the data that begin at ``position``."""
    line, column = position
    newlines = data.count(b"\n", 0, size)
    if newlines:
        return line + newlines, size - data.rindex(b"\n", 0, size)
    return line, column + size


def _fill(read: Read, buffer: bytes, size: int) -> bytes:
    """The buffer grown to ``size`` bytes, or to the end of the content."""
    if len(buffer) >= size:
        return buffer
    parts = [buffer]
    missing = size - len(buffer)
    while missing > 0 and (more := read(missing)):
        parts.append(more)
        missing -= len(more)
    return b"".join(parts)


def _transcoded(read: Read, head: bytes, encoding: str) -> Read:
    """A reader of the same content as UTF-8; what cannot be decoded becomes U+FFFD."""
    decoder = codecs.getincrementaldecoder(encoding)(errors="replace")
    ready = bytearray(decoder.decode(head).encode())
    ended = False

    def transcode(size: int) -> bytes:
        nonlocal ended
        while not ended and len(ready) < size:
            raw = read(size)
            ended = not raw
            ready.extend(decoder.decode(raw, final=ended).encode())
        taken = bytes(ready[:size])
        del ready[:size]
        return taken

    return transcode

"""The content of one file on disk, whatever it is."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import replace
from stanch.scanner.sources.content.text_or_binary import (
    HEAD,
    WINDOW,
    is_archive,
    is_compiled_python,
    is_mail,
    is_wrapped,
)
from stanch.scanner.sources.content.window import Read, fragments
from stanch.scanner.sources.files.special_file import odd

READ_ONLY = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
"""Opening a pipe or a device can block or act, a link can lead elsewhere."""

COMPILED = "compiled from the source beside it"
"""Why most compiled Python is not read."""

LARGEST_MAIL = 32 << 20
"""Bytes of mails in one file; of more, what is encoded is not opened."""

_HELD = 8 << 20  # bytes
_MAIL_TOO_LARGE = f"mails of more than {LARGEST_MAIL >> 20} MiB: encoded parts are not opened"
_SIZE = (1 << 32) - 1


def content(full: str, place: Provenance) -> Iterator[Fragment | Gap]:
    """What is in one regular file: text, or what can be opened; a gap for what cannot be read."""
    shown = place.path
    try:
        # Looked at once more: what could not be read in one go may have been exchanged by now.
        mode = os.lstat(full).st_mode
        if not stat.S_ISREG(mode):
            yield odd(shown, mode)
            return
        descriptor = os.open(full, READ_ONLY)
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode):
                yield odd(shown, facts.st_mode)
            elif _is_opened(descriptor, facts.st_size):
                yield from _opened(descriptor, place)
            else:
                if facts.st_size > LARGEST_MAIL and is_mail(os.pread(descriptor, HEAD, 0)):
                    yield Gap(path=shown, why=_MAIL_TOO_LARGE, incomplete=True)
                read = _reader(descriptor, facts)
                for piece in fragments(read, place, facts.st_size):
                    if isinstance(piece, Gap):
                        yield from _binary(descriptor, full, place, piece)
                    else:
                        yield _again(piece, descriptor, facts.st_size)
        finally:
            os.close(descriptor)
    except OSError as error:
        yield Gap(path=shown, why=error.strerror or "unreadable", incomplete=True)


def _again(piece: Fragment, descriptor: int, size: int) -> Fragment:
    """The same; a window of a file that is not too large knows how to get all of it."""
    if piece.owned is None or size > _HELD:
        return piece
    return replace(piece, whole=lambda: os.pread(descriptor, size, 0))


def _is_opened(descriptor: int, size: int) -> bool:
    """Whether it is text that says more than it shows; large mails are read as plain text."""
    head = os.pread(descriptor, HEAD, 0)
    return is_wrapped(head) and not (size > LARGEST_MAIL and is_mail(head))


def _binary(descriptor: int, full: str, place: Provenance, gap: Gap) -> Iterator[Fragment | Gap]:
    """What is in a binary file that can be opened; the gap for any other."""
    head = os.pread(descriptor, HEAD, 0)
    if not is_archive(head):
        yield gap
    elif is_compiled_python(head) and _compiled_here(place.path, full, head):
        yield Gap(path=place.path, why=COMPILED, incomplete=False)
    else:
        yield from _opened(descriptor, place)


def _compiled_here(shown: str, full: str, head: bytes) -> bool:
    """Whether the source is beside it, of the size that Python has taken down: it says it all."""
    folder, _, name = full.rpartition("/")
    if "__pycache__/" not in shown:
        return False  # somebody asked for this very file
    source = f"{folder.rpartition('/')[0]}/{name.partition('.')[0]}.py"
    try:
        facts = os.lstat(source)
    except OSError:
        return False
    return stat.S_ISREG(facts.st_mode) and head[12:16] == (facts.st_size & _SIZE).to_bytes(
        4, "little"
    )


def _opened(descriptor: int, place: Provenance) -> Iterator[Fragment | Gap]:
    """What is in an archive or a document."""
    # Loaded late: most trees have none, and start-up counts.
    from stanch.scanner.sources.content.archive import members  # noqa: PLC0415

    os.lseek(descriptor, 0, os.SEEK_SET)
    with os.fdopen(descriptor, "rb", closefd=False) as file:
        yield from members(file, place)


def _reader(descriptor: int, facts: os.stat_result) -> Read:
    if facts.st_size <= WINDOW or facts.st_blocks * 512 >= facts.st_size:
        return lambda size: os.read(descriptor, size)
    position = 0

    def read(size: int) -> bytes:
        """Sparse files: the kernel would fill its cache with zeros for holes, so make our own."""
        nonlocal position
        try:
            data = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError as error:
            if error.errno != errno.ENXIO:  # "no data behind this"
                raise
            data = max(position, os.lseek(descriptor, 0, os.SEEK_END))
        hole = data - position
        taken = bytes(min(size, hole)) if hole else os.pread(descriptor, size, position)
        position += len(taken)
        return taken

    return read

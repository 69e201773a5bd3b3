"""Walks a tape archive, forwards only, and proves that it saw the end.

The reader of the standard library ends in silence at a damaged header, loops for ever over a
negative size and reads a header of any size into memory. This one believes nothing: it reads ustar,
GNU's long names and the names and sizes of pax; it raises for what is none of that. Links, devices
and pipes are entries without data; of a sparse file the data is what is stored of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from stanch.scanner.sources.content.kept import kept
from stanch.scanner.sources.content.unpacked import DamagedError

BLOCK = 512
"""Bytes, of which an archive is made."""

_ZEROS = bytes(BLOCK)
_ABOUT = 1 << 20  # bytes that may say something about one entry
_HEADERS = 64  # that may stand before one entry
_SKIP = 1 << 20  # bytes
_DATALESS = frozenset((b"1", b"2", b"3", b"4", b"5", b"6"))  # links, devices, folders, pipes
_FOLDER = b"5"
_FILES = frozenset((b"0", b"\0", b"7", b"S"))
_CHECKSUM = slice(148, 156)
_SPACES = 8 * 32  # what the checksum counts for itself


class Entry(NamedTuple):
    """One entry; ``kind`` is the type flag, ``size`` that of the data in the archive."""

    name: bytes
    kind: bytes
    size: int

    @property
    def is_folder(self) -> bool:
        """Whether it is a directory."""
        return self.kind == _FOLDER or (self.kind == b"\0" and self.name.endswith(b"/"))


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes:
        """So many bytes, or what is left."""


class Tar:
    """Iterate over the entries; :meth:`read` gives the data of the one that came last.

    Raises :class:`DamagedError` where it is no archive or has no proper end. ``seek`` moves the
    stream by so many bytes where that is cheaper than reading; it must not be cut then.
    """

    def __init__(self, stream: _Stream, *, seek: Callable[[int], object] | None = None) -> None:
        self._read = kept(stream)
        self._seek = seek
        self._left = 0  # of the data of the entry
        self._padding = 0
        self._everywhere: dict[bytes, bytes] = {}
        self.at = 0
        """How far into the stream it is."""

    def __iter__(self) -> Iterator[Entry]:
        while (entry := self._next()) is not None:
            yield entry

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes of the entry's data; nothing at its end."""
        size = min(size, self._left)
        if not size:
            return b""
        data = self._read(size)
        self.at += len(data)
        self._left -= len(data)
        if not data:
            raise DamagedError("tar is cut in the data of an entry")
        return data  # what there is of a cut entry, too: the next look meets the end

    def finish(self) -> None:
        """Read on to the end of the stream: raises when there is anything but zeros."""
        while rest := self._read(_SKIP):
            self.at += len(rest)
            if rest.count(0) != len(rest):
                raise DamagedError("tar: what stands behind its end is not read")

    def _next(self) -> Entry | None:
        self._skip(self._left + self._padding)
        self._left = self._padding = 0
        about = dict(self._everywhere)
        for _ in range(_HEADERS):
            header = self._block()
            if header == _ZEROS:
                if self._block() != _ZEROS:
                    raise DamagedError("tar has one block of zeros where its end has two")
                return None
            _verify(header)
            kind, size = header[156:157], _number(header[124:136])
            if kind in b"xgLK":
                self._learn(kind, self._text(size), about)
            else:
                return self._entry(header, kind, size, about)
        raise DamagedError(f"tar has more than {_HEADERS} headers for one entry")

    def _entry(self, header: bytes, kind: bytes, size: int, about: dict[bytes, bytes]) -> Entry:
        if b"size" in about:
            size = _decimal(about[b"size"])
        if kind in _DATALESS:
            size = 0
        if kind == b"S":
            extended = header[482]
            while extended:
                extended = self._block()[504]
        self._left, self._padding = size, -size % BLOCK
        name = about.get(b"GNU.sparse.name") or about.get(b"path") or _name(header)
        return Entry(name, kind, size)

    def _learn(self, kind: bytes, text: bytes, about: dict[bytes, bytes]) -> None:
        """Take note of what a header says of the next entry, or of all."""
        if kind == b"L":
            about[b"path"] = text.rstrip(b"\0")
        elif kind != b"K":
            said = _pax(text)
            about.update(said)
            if kind == b"g":
                self._everywhere.update(said)

    def _text(self, size: int) -> bytes:
        if size > _ABOUT:
            raise DamagedError(f"tar has a header of more than {_ABOUT >> 20} MiB")
        self._left, self._padding = size, -size % BLOCK
        text = self.read(size)
        self._skip(self._left + self._padding)
        return text

    def _block(self) -> bytes:
        block = self._read(BLOCK)
        self.at += len(block)
        if len(block) < BLOCK:
            self._read(BLOCK)  # raises what has broken it
            raise DamagedError("tar ends without its end")
        return block

    def _skip(self, size: int) -> None:
        if self._seek is not None:
            self._seek(size)
            self.at += size
            return
        while size:
            data = self._read(min(size, _SKIP))
            if not data:
                raise DamagedError("tar is cut in the data of an entry")
            self.at += len(data)
            size -= len(data)


def begins_tar(head: bytes) -> bool:
    """Whether a content that begins with these 512 bytes is a tape archive, an old one too."""
    if len(head) < BLOCK:
        return False
    try:
        _verify(head[:BLOCK])
    except DamagedError:
        return head[:BLOCK] == _ZEROS
    return True


def _verify(header: bytes) -> None:
    said = _number(header[_CHECKSUM])
    field = header[_CHECKSUM]
    if said == sum(header) - sum(field) + _SPACES:
        return
    signed = sum(byte - 256 if byte & 0x80 else byte for byte in header)  # as old ones have counted
    if said != signed - sum(byte - 256 if byte & 0x80 else byte for byte in field) + _SPACES:
        raise DamagedError("tar has a header with a wrong checksum")


def _number(field: bytes) -> int:
    """Octal digits, or binary with the first bit set."""
    if field[0] & 0x80:
        if field[0] & 0x40:
            raise DamagedError("tar has an entry of negative size")
        return int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
    digits = field.partition(b"\0")[0].strip()
    # Behind a NUL in front other readers find a number where this one would find none.
    if not digits.isdigit() and (digits or field.strip(b"\0 ")):
        raise DamagedError("tar has a header without a number where one belongs")
    try:
        return int(digits or b"0", 8)
    except ValueError as error:
        raise DamagedError("tar has a header without a number where one belongs") from error


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0" and header[345]:
        return header[345:500].partition(b"\0")[0] + b"/" + name
    return name


def _pax(text: bytes) -> dict[bytes, bytes]:
    """The records of a pax header, each ``length key=value`` and a line feed."""
    found = {}
    at = 0
    while at < len(text):
        digits, space, _ = text[at : at + 20].partition(b" ")
        length = _decimal(digits) if space else 0
        record = text[at : at + length]
        if length <= len(digits) + 1 or len(record) < length or record[-1:] != b"\n":
            raise DamagedError("tar has a pax header that is none")
        key, equals, value = record[len(digits) + 1 : -1].partition(b"=")
        if not equals:
            raise DamagedError("tar has a pax header that is none")
        found[key] = value
        at += length
    return found


def _decimal(digits: bytes) -> int:
    if not digits.isdigit() or len(digits) > 20:  # noqa: PLR2004  # more than any size has
        raise DamagedError("tar has a header without a number where one belongs")
    return int(digits)

"""Reads small objects straight out of a repository's pack files.

Asking ``git cat-file`` costs two pipes and unpacks a common base again for each version that needs
it after git's own memory of bases has moved on. Here each process unpacks every base once, and
holds the versions of a file while they are wanted. The format is git's gitformat-pack(5).

Nothing is reported here: what is missing, large, of another kind or damaged in any way is ``None``,
and the caller asks git, which says what is wrong with it. Sizes are declared by strangers, so each
is held against a bound before memory is spent on it.
"""

from __future__ import annotations

import os
import zlib
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from stanch.scanner.sources.pack_index import OID, OddError, PackIndex, opened

LARGEST = 4 << 20
"""Bytes of an object, or of a difference, that is unpacked here."""

_HELD = 48 << 20  # bytes of unpacked objects that a process keeps as bases
_OTHERS = 2 << 20  # bytes of them when it begins with others: what is about to fit a fast cache
_CHAIN = 64 << 20  # bytes of differences that may lead to one object
_MOST = 64  # packs, the largest ones: each keeps two files open
_DEEPEST = 4096  # what git allows
_HEAD = 64  # bytes that say what an object is and where its base is
_GUESS = 4096  # bytes read at once: most packed versions are far smaller
_BLOB, _BY_OFFSET, _BY_ID = 3, 6, 7
_DAMAGE = (OSError, IndexError, ValueError, zlib.error)


Place = tuple[int, int]
"""The number of a pack and an offset in it."""


class Packed(NamedTuple):
    """An object from a pack, and what it has in common with the base it is stored against."""

    place: Place
    data: bytes
    base: Place | None
    front: int  # bytes that both begin with
    behind: int  # bytes of the rest that both end with

    def alike(self, other: Packed) -> tuple[int, int] | None:
        """What it has in common with another in front and behind, where the pack says so."""
        if self.base == other.place:
            return self.front, self.behind
        if other.base == self.place:
            return other.front, other.behind
        return None


def unpacked(data: bytes) -> Packed:
    """An object from elsewhere."""
    return Packed((-1, 0), data, None, 0, 0)


class Packs:
    """The packs of one repository. Each process has its own: open files have a position."""

    def __init__(self, *, folder: Path) -> None:
        self._latest = 0  # the pack that had the last object: its neighbours are asked for next
        self._held: OrderedDict[Place, Packed] = OrderedDict()
        self._size = 0
        self._packs: list[_Pack] = []
        with suppress(OSError):
            found = [each for each in os.scandir(folder) if each.name.endswith(".idx")]
            found.sort(key=lambda each: (-each.stat().st_size, each.name))
            for entry in found[:_MOST]:
                with suppress(OddError, *_DAMAGE):
                    self._packs.append(_Pack(entry.path))

    def place(self, oid: str) -> Place | None:
        """Where the object of that (hexadecimal) id is, if it is here."""
        key = bytes.fromhex(oid)
        if len(key) != OID or not self._packs:
            return None
        offset = self._packs[self._latest].offset(key)
        if offset is not None:
            return self._latest, offset
        for number, pack in enumerate(self._packs):
            offset = pack.offset(key)
            if offset is not None:
                self._latest = number
                return number, offset
        return None

    def related(self, one: str, other: str) -> bool:
        """Whether one of them is stored as a difference to the other."""
        try:
            first, second = self.place(one), self.place(other)
            if first is None or second is None or first[0] != second[0]:
                return False
            base = self._packs[first[0]].base
            return base(first[1]) == second[1] or base(second[1]) == first[1]
        except (OddError, *_DAMAGE):
            return False

    def read(self, oid: str) -> Packed | None:
        """The blob of that id, or None when git has to be asked for it."""
        try:
            place = self.place(oid)
            return None if place is None else self._object(place)
        except (OddError, *_DAMAGE):
            return None

    def close(self) -> None:
        """Close the files."""
        while self._packs:
            self._packs.pop().close()

    def _object(self, place: Place) -> Packed:
        """What is at that place, after the bases that it is a difference to."""
        held = self._held
        if place in held:
            return held[place]
        number, offset = place
        pack = self._packs[number]
        steps: list[tuple[int, bytes]] = []
        room = _CHAIN
        while (found := held.get((number, offset))) is None:
            base, body = pack.entry(offset)
            if base is None:
                self._forget(_OTHERS)  # versions of other files, mostly
                found = self._keep(Packed((number, offset), body, None, 0, 0))
                break
            room -= len(body)
            if room < 0 or len(steps) == _DEEPEST:
                raise OddError
            steps.append((offset, body))
            offset = base
        while steps:
            offset, body = steps.pop()
            found = self._keep(Packed((number, offset), *changed(found.data, body, found.place)))
        return found

    def _keep(self, packed: Packed) -> Packed:
        self._held[packed.place] = packed
        self._size += len(packed.data)
        if self._size > _HELD:
            self._forget(_HELD)
        return packed

    def _forget(self, room: int) -> None:
        """Let go of what was unpacked first, until the rest takes no more room than that."""
        while self._size > room:
            self._size -= len(self._held.popitem(last=False)[1].data)


class _Pack:
    """One pack and its index. It is read by position: mapped files would count as memory."""

    __slots__ = ("_index", "_pack", "offset")

    def __init__(self, index: str) -> None:
        self._index = PackIndex(index)
        self.offset = self._index.offset
        try:
            self._pack = opened(index.removesuffix(".idx") + ".pack")
        except BaseException:
            self._index.close()
            raise

    def close(self) -> None:
        self._index.close()
        os.close(self._pack)

    def base(self, offset: int) -> int | None:
        """Where the base is that the object at that offset is stored as a difference to, if any."""
        return self._head(os.pread(self._pack, _HEAD, offset), offset)[0]

    def entry(self, offset: int) -> tuple[int | None, bytes]:
        """Where the base is and the difference to it; of what has no base, None and the content."""
        data = os.pread(self._pack, _GUESS, offset)
        base, size, at = self._head(data, offset)
        return base, self._inflated(data[at:], offset + at, size)

    def _head(self, data: bytes, offset: int) -> tuple[int | None, int, int]:
        """Where the base is, how long the content will be, and where in the data it begins."""
        byte = data[0]
        kind, size = byte >> 4 & 7, byte & 15
        at, shift = 1, 4
        while byte & 0x80:
            byte = data[at]
            size |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
        if size > LARGEST:
            raise OddError
        if kind == _BY_OFFSET:
            byte = data[at]
            back = byte & 0x7F
            at += 1
            while byte & 0x80:
                byte = data[at]
                back = (back + 1) << 7 | byte & 0x7F
                at += 1
            return offset - back, size, at
        if kind == _BLOB:
            return None, size, at
        if kind != _BY_ID:
            raise OddError
        base = self.offset(data[at : at + OID])
        if base is None:
            raise OddError
        return base, size, at + OID

    def _inflated(self, data: bytes, offset: int, size: int) -> bytes:
        """``size`` bytes, compressed from that offset on, of which the first are read already."""
        inflate = zlib.decompressobj()
        # One byte more than there should be makes zlib go on to the checksum at the end.
        first = inflate.decompress(data, size + 1)
        if inflate.eof and len(first) == size:
            return first
        parts = [first]
        offset, left = offset + len(data), size + 1 - len(first)
        while left and not inflate.eof and (more := os.pread(self._pack, left + _GUESS, offset)):
            parts.append(inflate.decompress(more, left))
            offset, left = offset + len(more), left - len(parts[-1])
        if left != 1 or not inflate.eof:
            raise OddError
        return b"".join(parts)


def changed(base: bytes, delta: bytes, place: Place) -> tuple[bytes, Place, int, int]:
    """The object that the difference makes of its base at that place, and what they share.

    Raises ``ValueError`` or ``IndexError`` when it does not fit to it.
    """
    before, at = _length(delta, 0)
    after, at = _length(delta, at)
    if before != len(base) or after > LARGEST:
        raise ValueError
    parts: list[bytes] = []
    add = parts.append
    room, end = after, len(delta)
    front = tail = reach = 0  # copied from the beginning; the last stretch copied without a break
    while at < end:
        command = delta[at]
        at += 1
        if not command & 0x80:  # so many new bytes follow
            add(delta[at : at + command])
            at += command
            room -= command
            reach = -1
            continue
        start, size, at = _copied(delta, at, command)
        if start == front == after - room:
            front += size
        if start != reach:
            tail = start
        reach = start + size
        room -= size
        if room < 0:
            raise ValueError
        add(base[start:reach])
    data = b"".join(parts)
    if len(data) != after:
        raise ValueError
    behind = before - tail if reach == before else 0
    return data, place, front, min(behind, min(before, after) - front)


def _copied(delta: bytes, at: int, command: int) -> tuple[int, int, int]:
    """Where in the base a copy starts and its size: bytes that are zero are left out."""
    # Written out: a history has millions of copies.
    start = size = 0
    if command & 0x01:
        start = delta[at]
        at += 1
    if command & 0x02:
        start |= delta[at] << 8
        at += 1
    if command & 0x0C:  # rare: beyond 64 KiB
        if command & 0x04:
            start |= delta[at] << 16
            at += 1
        if command & 0x08:
            start |= delta[at] << 24
            at += 1
    if command & 0x10:
        size = delta[at]
        at += 1
    if command & 0x20:
        size |= delta[at] << 8
        at += 1
    if command & 0x40:
        size |= delta[at] << 16
        at += 1
    return start, size or 0x10000, at


def _length(delta: bytes, at: int) -> tuple[int, int]:
    size = shift = 0
    while True:
        byte = delta[at]
        at += 1
        size |= (byte & 0x7F) << shift
        shift += 7
        if not byte & 0x80:
            return size, at

"""Finds objects in a pack by its index: the sorted ids, and where each begins.

The format is git's gitformat-pack(5), version 2. It is read by position: mapped files would count
as memory. What does not fit raises, and git is asked instead.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from math import isqrt

OID = 20
"""Bytes of an object id: indexes of SHA-256 repositories are left to git."""

_MAGIC = b"\xfftOc\0\0\0\2"
_FANOUT = len(_MAGIC) + 256 * 4
_FEW = 512  # ids with the same first byte that are kept


class OddError(Exception):
    """Not for us: git is asked."""


class PackIndex:
    """The index of one pack."""

    __slots__ = ("_count", "_fanout", "_few", "_file")

    def __init__(self, path: str) -> None:
        self._file = opened(path)
        head = os.pread(self._file, _FANOUT, 0)
        if not head.startswith(_MAGIC) or len(head) != _FANOUT:
            self.close()
            raise OddError
        self._fanout = [0] + [
            int.from_bytes(head[at : at + 4]) for at in range(len(_MAGIC), _FANOUT, 4)
        ]
        self._count = self._fanout[-1]
        self._few: dict[int, bytes] = {}  # by the first byte, where there are few

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def offset(self, oid: bytes) -> int | None:
        """Where in the pack the object begins, if it is there."""
        first, ids = self._near(oid)
        at = ids.find(oid)
        while at % OID and at > 0:  # it straddles two others
            at = ids.find(oid, at + 1)
        if at < 0:
            return None
        place = _FANOUT + self._count * (OID + 4)
        found = self._number(place + (first + at // OID) * 4, 4)
        if found >> 31:  # the offset needs more than 31 bits and stands in a table of its own
            found = self._number(place + self._count * 4 + (found & 0x7FFFFFFF) * 8, 8)
        return found

    def _near(self, oid: bytes) -> tuple[int, bytes]:
        """Ids among which this one is, if at all, and the number of their first."""
        low, high = self._fanout[oid[0]], self._fanout[oid[0] + 1]
        if high - low <= _FEW:
            ids = self._few.get(oid[0])
            if ids is None:
                ids = self._few[oid[0]] = self._ids(low, high)
            return low, ids
        # Ids are spread evenly: four standard deviations around where this one should be.
        guess, reach = low + ((high - low) * int.from_bytes(oid[1:5]) >> 32), 2 * isqrt(high - low)
        first = max(low, guess - reach)
        ids = self._ids(first, min(high, guess + reach))
        if not ids[:OID] <= oid <= ids[-OID:]:
            first = low + bisect_left(range(low, high), oid, key=self._id)
            ids = self._ids(first, min(first + 1, high))
        return first, ids

    def _ids(self, first: int, last: int) -> bytes:
        return os.pread(self._file, (last - first) * OID, _FANOUT + first * OID)

    def _id(self, number: int) -> bytes:
        return self._ids(number, number + 1)

    def _number(self, place: int, width: int) -> int:
        return int.from_bytes(os.pread(self._file, width, place))


def opened(path: str) -> int:
    """A descriptor of a regular file; anything else is not waited for."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OddError
    return descriptor

"""A bounded sample that does not depend on the order in which things are seen."""

from __future__ import annotations

import hashlib
import heapq


def rank_of(token: bytes) -> int:
    """A number that decides about a token's place in samples; the same in every run."""
    return int.from_bytes(hashlib.blake2b(token, digest_size=8).digest(), "big")


class Sample:
    """The ``size`` distinct tokens of lowest rank, which no order of arrival changes."""

    __slots__ = ("_heap", "_members", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._heap: list[tuple[int, bytes]] = []  # the highest rank first, hence negated
        self._members: set[bytes] = set()

    def add(self, token: bytes, rank: int) -> None:
        """Offer a token with its :func:`rank_of`."""
        if len(self._heap) < self._size:
            if token not in self._members:
                self._members.add(token)
                heapq.heappush(self._heap, (-rank, token))
        elif -rank > self._heap[0][0] and token not in self._members:
            self._members.add(token)
            _, gone = heapq.heapreplace(self._heap, (-rank, token))
            self._members.discard(gone)

    def ranked(self) -> list[tuple[int, bytes]]:
        """Rank and token, lowest rank first."""
        return sorted((-negated, token) for negated, token in self._heap)

    def __len__(self) -> int:
        return len(self._heap)

"""Steps of cleaning a log, each of which can say where what it left stood before.

All of them work on large blocks, with one pass of a regular expression that begins with one byte:
nothing is done for each line. The way back is worked out only where something was found.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from itertools import accumulate
from typing import NamedTuple, Protocol


class Back(NamedTuple):
    """The way back: what begins at ``outs[n]`` behind a stage began at ``ins[n]`` before it."""

    outs: list[int]
    ins: list[int]

    def offset(self, at: int) -> int:
        """Where the byte at ``at`` stood."""
        number = bisect_right(self.outs, at) - 1
        return self.ins[number] + at - self.outs[number]


class Stage(Protocol):
    """One step; both of its methods are given the same data."""

    def apply(self, data: bytes) -> bytes:
        """The data without what is taken away."""

    def back(self, data: bytes) -> Back:
        """How offsets in what :meth:`apply` gives lead to offsets in its data."""


class Removal:
    """Takes away what a pattern matches, or leaves ``put`` in its place, which begins it.

    ``sign`` is in everything that the pattern matches.
    """

    def __init__(self, pattern: bytes, *, sign: bytes, put: bytes = b"") -> None:
        self._pattern = re.compile(pattern)
        self._sign = sign
        self._put = put

    def apply(self, data: bytes) -> bytes:
        """As :class:`Stage`."""
        return self._pattern.sub(self._put, data) if self._sign in data else data

    def back(self, data: bytes) -> Back:
        """As :class:`Stage`."""
        outs, ins = [0], [0]
        gone = 0
        kept = len(self._put)
        for found in self._pattern.finditer(data):
            outs.append(found.start() - gone + kept)
            gone += found.end() - found.start() - kept
            ins.append(found.end())
        return Back(outs, ins)


class Rejoin:
    """Puts lines together that their writer has cut, as GitLab's runner does.

    ``head`` matches a line's feed and its head; the groups are the stream that the line belongs to
    and ``+`` where it goes on what that stream said last. Lines of several streams are mixed.
    """

    def __init__(self, head: bytes, cut: bytes) -> None:
        self._head = re.compile(head)
        self._cut = re.compile(cut)

    def apply(self, data: bytes) -> bytes:
        """As :class:`Stage`."""
        if self._cut.search(data) is None:
            return self._head.sub(b"\n", data)
        return b"".join([data[start:end] for start, end in self._pieces(data)])

    def back(self, data: bytes) -> Back:
        """As :class:`Stage`."""
        pieces = [each for each in self._pieces(data) if each[0] < each[1]] or [(0, 0)]
        lengths = (end - start for start, end in pieces[:-1])
        return Back(list(accumulate(lengths, initial=0)), [start for start, _ in pieces])

    def _pieces(self, data: bytes) -> list[tuple[int, int]]:
        """What is left of the data, in its order."""
        heads = list(self._head.finditer(data))
        first = heads[0].start() if heads else len(data)
        lines: list[list[tuple[int, int]]] = [[(0, first)]]
        last: dict[bytes, list[tuple[int, int]]] = {}
        ends = [*(each.start() for each in heads[1:]), len(data)][: len(heads)]
        for head, end in zip(heads, ends, strict=True):
            stream, sign = head.groups()
            begun = last.get(stream)
            if sign == b"+" and begun is not None:
                begun.append((head.end(), end))
                continue
            last[stream] = line = [(head.start(), head.start() + 1), (head.end(), end)]
            lines.append(line)
        return [piece for line in lines for piece in line]

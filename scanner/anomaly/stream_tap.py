"""Listens to a stream that can be read only once, while somebody else reads it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from stanch.scanner.anomaly.survey import Oddity, Survey
from stanch.scanner.anomaly.suspect import Suspects, suspects_of
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream

PIECE = 64 << 10
"""Bytes that are judged together: in a log, company is what is close by."""

MOST_KEPT = 20_000
"""Suspects that wait for the end of the stream, when it is known what is normal."""

_LONGEST_LINE = 1 << 20


class Ear:
    """Stands in for the stream: has its ``read``, and learns from all that passes.

    Memory is bounded: beyond :data:`MOST_KEPT` waiting suspects the most crowded pieces, which are
    the least surprising ones, are forgotten first.
    """

    def __init__(self, stream: BinaryIO, name: str, survey: Survey) -> None:
        self._stream = stream
        self._name = name
        self._survey = survey
        self._rest = b""
        self._line = self._column = 1
        self._kept: list[Suspects] = []
        self._count = 0

    def read(self, size: int = -1) -> bytes:
        """As the stream's own."""
        data = self._stream.read(size)
        self._rest += data
        while len(self._rest) >= PIECE:
            cut = self._rest.rfind(b"\n", 0, PIECE) + 1 or self._rest.find(b"\n", PIECE) + 1
            if not cut and len(self._rest) < _LONGEST_LINE:
                break
            self._take(cut or len(self._rest))
        return data

    def oddities(self) -> Iterator[Oddity]:
        """What did not belong, in order; call it when the stream has ended."""
        if self._rest:
            self._take(len(self._rest))
        for suspects in self._kept:
            yield from self._survey.judge(suspects)

    def _take(self, size: int) -> None:
        data, self._rest = self._rest[:size], self._rest[size:]
        piece = Fragment(
            data=data,
            provenance=InStream(path=self._name),
            first_line=self._line,
            first_column=self._column,
        )
        self._line += data.count(b"\n")
        last = data.rfind(b"\n") + 1
        self._column = len(data) - last + (1 if last else self._column)
        if b"\0" in data:
            return
        self._survey.learn(piece)
        suspects = suspects_of(piece)
        if suspects is None:
            return
        self._kept.append(suspects)
        self._count += len(suspects.found)
        if self._count > MOST_KEPT:
            self._forget()

    def _forget(self) -> None:
        crowded = sorted(range(len(self._kept)), key=lambda each: -self._kept[each].company)
        gone: set[int] = set()
        for index in crowded:
            if self._count <= MOST_KEPT // 2:
                break
            gone.add(index)
            self._count -= len(self._kept[index].found)
        self._kept = [each for index, each in enumerate(self._kept) if index not in gone]

"""Finds in a text what must not be shown."""

from __future__ import annotations

from itertools import accumulate

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.model.finding import Span
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream
from stanch.scanner.scan.mask.known_value import KnownValues

MASK = b"[MASKED]"

Places = list[tuple[int, int]]

_HERE = InStream(path="stream.log")


class Masking:
    """Rules and known values. ``unjudged`` says what could not be looked at: it is masked whole."""

    def __init__(self, engine: Engine, known: KnownValues) -> None:
        self._engine = engine
        self.known = known
        self.unjudged: list[str] = []

    def places(self, data: bytes) -> Places:
        """What to mask, in order and without overlaps."""
        scanned = self._engine.examine(Fragment(data=data, provenance=_HERE))
        if any(gap.incomplete for gap in scanned.gaps):
            self.unjudged += [gap.why for gap in scanned.gaps if gap.incomplete]
            return [(0, len(data))]
        found = self.known.places(data)
        if scanned.matches:
            starts = list(accumulate((len(line) + 1 for line in data.split(b"\n")), initial=0))
            for match in scanned.matches:
                for span in (match.finding.span, *match.finding.also):
                    found.append(_offsets(span, starts))
        return _merged(found) if found else found

    def masked(self, data: bytes) -> bytes:
        """A text that is all there is."""
        return replaced(data, 0, len(data), self.places(data))


def replaced(data: bytes, begin: int, end: int, places: Places) -> bytes:
    """``data[begin:end]`` with every place masked."""
    pieces = []
    at = begin
    for start, stop in places:
        if stop <= begin or start >= end:
            continue
        pieces += [data[at : max(at, start)], MASK]
        at = max(at, stop)
    pieces.append(data[at:end])
    return b"".join(pieces) if len(pieces) > 1 else pieces[0]


def _offsets(span: Span, starts: list[int]) -> tuple[int, int]:
    start, end = starts[span.line - 1], starts[span.end_line - 1]
    return start + span.column - 1, end + span.end_column - 1


def _merged(places: Places) -> Places:
    merged: Places = []
    for start, end in sorted(places):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged

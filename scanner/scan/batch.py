"""Scans one batch of a source: what a single process does, and what it sends back.

A ``SecretValue`` refuses pickling. Where the caller wants the credential's parts, the codec below
(:func:`packed`, :func:`unpacked`) is the one place that makes them raw values, for a pipe that only
parent and child hold; where he does not, no value leaves the process that found it.
"""

from __future__ import annotations

from typing import TypeVar

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.model.finding import Finding, Match, Span
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import Provenance
from stanch.scanner.model.record import Record, replace
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.sources.hunk import Hunk
from stanch.scanner.sources.source import Source

Item = TypeVar("Item")

Packed = tuple[Finding, tuple[tuple[str, bytes], ...]]
"""A finding and the raw values of its parts by name; picklable, and therefore handled with care."""


class Tally(Record):
    """What was read: contents (files or blobs), and bytes of them."""

    contents: int
    size: int


class Answer(Record):
    """What one batch brought, in order."""

    found: tuple[Packed, ...]
    gaps: tuple[Gap, ...]
    tally: Tally


def scan_batch(
    source: Source[Item], engine: Engine, batch: tuple[Item, ...], *, parts: bool
) -> Answer:
    """Read and scan a batch; findings outside of a window's own range are left to its neighbour."""
    found: list[Packed] = []
    gaps: list[Gap] = []
    contents = size = 0
    place: Provenance | None = None
    for got in source.read(batch):
        if isinstance(got, Gap):
            gaps.append(got)
            continue
        if isinstance(got, Hunk):
            text = got.text
            if not engine.may_find(text, got.item.path if got.whole_lines else None):
                contents += 1
                size += len(text)
                continue
        piece = got.fragment() if isinstance(got, Hunk) else got
        contents += piece.provenance is not place  # pieces of one content share it
        place = piece.provenance
        size += len(piece.data)
        scanned = engine.examine(piece)
        if not scanned.matches and not scanned.gaps:
            continue
        gaps.extend(replace(gap, lasting=True) for gap in scanned.gaps)
        for match in scanned.matches:
            placed = match if piece.owned is None else _placed(match, piece)
            if placed is not None:
                found.append(packed(placed, parts=parts))
    return Answer(found=tuple(found), gaps=tuple(gaps), tally=Tally(contents=contents, size=size))


def _placed(match: Match, window: Fragment) -> Match | None:
    """The match with columns of the whole file, or None when a neighbouring window owns it."""
    span = _shifted(match.finding.span, window)
    if window.owned is None:
        return match
    begin, end = window.owned
    if not begin <= (span.line, span.column) < end:
        return None
    also = tuple(_shifted(each, window) for each in match.finding.also)
    return replace(match, finding=replace(match.finding, span=span, also=also))


def _shifted(span: Span, window: Fragment) -> Span:
    shift = window.first_column - 1
    return replace(
        span,
        column=span.column + (shift if span.line == window.first_line else 0),
        end_column=span.end_column + (shift if span.end_line == window.first_line else 0),
    )


def packed(match: Match, *, parts: bool) -> Packed:
    """A match as it may cross a private pipe, with its values only when they are asked for."""
    if not parts:
        return match.finding, ()
    return match.finding, tuple((name, value.reveal()) for name, value in match.parts.items())


def unpacked(sent: Packed) -> Match:
    """The match at the other end of the pipe."""
    finding, parts = sent
    return Match(finding=finding, parts={name: SecretValue(value) for name, value in parts})

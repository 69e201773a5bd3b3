"""Scans one batch of a source: what a single process does, and what it sends back.

A ``SecretValue`` refuses pickling. Where the caller wants the credential's parts, the codec below
(:func:`packed`, :func:`unpacked`) is the one place that makes them raw values, for a pipe that only
parent and child hold; where he does not, no value leaves the process that found it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from stanch.scanner.detectors.engine import NOTHING, Engine, Reach, Scanned
from stanch.scanner.detectors.text.position import LineIndex
from stanch.scanner.model.finding import Finding, Match, Span
from stanch.scanner.model.fragment import Fragment, Gap, Origin, Places
from stanch.scanner.model.record import Record, replace
from stanch.scanner.model.secret import SecretValue
from stanch.scanner.sources.hunk import Hunk
from stanch.scanner.sources.source import Aside, Source

Item = TypeVar("Item")

_LARGEST_PAST = 128 << 10  # bytes of a text whose structure is looked at in every version

Packed = tuple[Finding, tuple[tuple[str, bytes], ...]]
"""A finding and the raw values of its parts by name; picklable, and therefore handled with care."""


class Tally(Record):
    """What was read: contents (files or blobs), and bytes of them.

    ``blobs`` says which of the two where a stage holds both.
    """

    contents: int
    size: int
    blobs: bool | None = None


class Answer(Record):
    """What one batch brought, in order."""

    found: tuple[Packed, ...]
    gaps: tuple[Gap, ...]
    tally: Tally
    asides: tuple[Aside, ...] = ()


def scan_batch(
    source: Source[Item], engine: Engine, batch: tuple[Item, ...], *, parts: bool
) -> Answer:
    """Read and scan a batch; findings outside of a window's own range are left to its neighbour."""
    found: list[Packed] = []
    gaps: list[Gap] = []
    asides: list[Aside] = []
    contents = size = 0
    content: object = None  # pieces of one content share it
    reaches: dict[str, Reach] = {}  # by file, as far as there is more than the lines around
    for got in source.read(batch):
        if isinstance(got, Gap):
            gaps.append(got)
            continue
        if isinstance(got, Aside):
            asides.append(got)
            continue
        mark = got.whole if isinstance(got, Hunk) else got.provenance
        contents += mark is not content
        content = mark
        size += got.last - got.first if isinstance(got, Hunk) else len(got.data)
        scanned = _of_hunk(engine, got, reaches) if isinstance(got, Hunk) else engine.examine(got)
        scanned = _named(scanned, got)
        gaps.extend(replace(gap, lasting=True) for gap in scanned.gaps)
        for match in scanned.matches:
            here = match if isinstance(got, Hunk) else placed(match, got)
            if here is not None:
                found.append(packed(here, parts=parts))
    tally = Tally(contents=contents, size=size)
    return Answer(found=tuple(found), gaps=tuple(gaps), tally=tally, asides=tuple(asides))


def _of_hunk(engine: Engine, hunk: Hunk, reaches: dict[str, Reach]) -> Scanned:
    """What is found in a hunk, or because of it farther away in its content.

    How far, the rules say that have met anything in the file up to now: what a hunk adds to a
    document or to a pair may be far away from what makes it one.
    """
    path, part = hunk.item.path, hunk.part
    look = engine.look(hunk.whole, path, part)
    if look is not None and look.reach:
        reaches[path] = max(look.reach, reaches.get(path, look.reach))
    if part is not None and (path in reaches or (look is not None and look.windows)):
        reach = reaches.get(path, Reach.NEAR)
        look = engine.look_around(hunk.whole, path, part, reach)
    return engine.examine(hunk.fragment(), look) if look is not None else NOTHING


def _named(scanned: Scanned, got: Fragment | Hunk) -> Scanned:
    """The same, with the place inside of a text that has structure."""
    if not scanned.matches or (isinstance(got, Hunk) and len(got.whole) > _LARGEST_PAST):
        return scanned
    from stanch.scanner.scan.within import within  # noqa: PLC0415  # most contents have no finding

    fragment = got.fragment() if isinstance(got, Hunk) else got
    return replace(scanned, matches=within(fragment, scanned.matches))


def placed(match: Match, window: Fragment) -> Match | None:
    """The match with columns of the whole file, or None when a neighbouring window owns it."""
    if window.places is not None:
        return _inside(match, window.places)
    if window.origin is not None:
        match = _original(match, window.origin, window.first_line)
    if window.owned is None:
        return match
    span = _shifted(match.finding.span, window)
    begin, end = window.owned
    if not begin <= (span.line, span.column) < end:
        return None
    also = tuple(_shifted(each, window) for each in match.finding.also)
    return replace(match, finding=replace(match.finding, span=span, also=also))


def _inside(match: Match, places: Places) -> Match:
    """The match with lines and columns of the piece that it begins in."""
    finding = match.finding
    name, (line, column) = places.at(finding.span.line, finding.span.column)

    def moved(span: Span) -> Span:
        return replace(
            span,
            line=span.line - line + 1,
            column=span.column - (column - 1 if span.line == line else 0),
            end_line=span.end_line - line + 1,
            end_column=span.end_column - (column - 1 if span.end_line == line else 0),
        )

    also = (each for each in finding.also if places.at(each.line, each.column)[0] == name)
    span, together = moved(finding.span), tuple(map(moved, also))
    return replace(match, finding=replace(finding, span=span, also=together))


@lru_cache(maxsize=1)  # of the window that is looked at
def _lines(origin: Origin, first_line: int) -> LineIndex:
    return LineIndex(origin.data, first_line)


def _original(match: Match, origin: Origin, first_line: int) -> Match:
    """The match where it stands in what the text was made from."""
    lines = _lines(origin, first_line)

    def moved(span: Span) -> Span:
        start = origin.offset(span.line, span.column)
        last = origin.offset(span.end_line, max(1, span.end_column - 1))
        return lines.span(start, max(start, last) + 1)

    finding = match.finding
    span, also = moved(finding.span), tuple(map(moved, finding.also))
    return replace(match, finding=replace(finding, span=span, also=also))


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

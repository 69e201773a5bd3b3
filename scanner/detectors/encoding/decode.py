"""Encoded copies: base64, hex, percent and escape sequences, opened and read by the same rules.

Only what decodes to text is looked at, at most ``DEPTH`` layers deep, and a finding points at the
encoded run in the original. What a rule for the encoded form itself has named (a JWT, a key) is
not reported again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice, takewhile

from stanch.scanner.detectors.encoding import ansi
from stanch.scanner.detectors.encoding.base64_run import RUN
from stanch.scanner.detectors.encoding.copy import Copy
from stanch.scanner.detectors.encoding.escape import PERCENT, SEQUENCE
from stanch.scanner.detectors.text.path_kind import is_foreign_ground
from stanch.scanner.detectors.text.position import LineIndex
from stanch.scanner.model.finding import Finding, Match, Span
from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InStream
from stanch.scanner.model.record import replace

Scan = Callable[[Fragment], tuple[Match, ...]]

#: In order of precedence. Another encoding is a file and a place in this list.
ENCODINGS = (RUN, PERCENT, SEQUENCE)
#: What the prefilter looks for besides rules: the encodings' marks, in their order, and colours.
MARKS = (*(each.mark for each in ENCODINGS), ansi.MARK)
COLOURED = len(ENCODINGS)
#: So many layers are opened, of at most so many runs of a fragment.
DEPTH = 3
MOST_RUNS = 5_000
_ANYWHERE: Mapping[int, int] = dict.fromkeys(range(len(ENCODINGS)), 0)


def copies(
    data: bytes, marks: Mapping[int, int] = _ANYWHERE, end: int | None = None
) -> Iterator[Copy]:
    """The stretches of ``data`` that decode to text, as far as they begin before ``end``.

    ``marks``: which of :data:`MARKS` are there, and where the first place of each ends at least.
    """
    last = len(data) if end is None else end
    return chain.from_iterable(
        takewhile(lambda copy: copy.start < last, each.copies(data, marks[number]))
        for number, each in enumerate(ENCODINGS)
        if number in marks
    )


def opened(
    fragment: Fragment,
    direct: tuple[Match, ...],
    scan: Scan,
    marks: Mapping[int, int] = _ANYWHERE,
    end: int | None = None,
) -> tuple[tuple[Match, ...], tuple[Gap, ...]]:
    """``direct`` and what ``scan`` finds in the fragment's encoded copies, by position.

    Copies that begin at ``end`` or behind it are left alone. What lies behind the first
    ``MOST_RUNS`` copies is a gap.
    """
    path = fragment.provenance.path
    if is_foreign_ground(path):
        return direct, ()
    lines: LineIndex | None = None
    hidden: list[Match] = []
    found = copies(fragment.data, marks, end)
    for each in islice(found, MOST_RUNS):
        inner = _read(each.text, path, scan, DEPTH - 1)
        if not inner:
            continue
        lines = lines or LineIndex(fragment.data, fragment.first_line)
        span = lines.span(each.start, each.end)
        hidden.extend(_placed(match, fragment, span, each.encoding) for match in inner)
    gaps: tuple[Gap, ...] = ()
    if next(found, None) is not None:
        why = f"more than {MOST_RUNS:,} encoded runs; the rest is not opened"
        gaps = (Gap(path=path, why=why, incomplete=True),)
    return (_merged(direct, hidden) if hidden else direct), gaps


def _placed(match: Match, fragment: Fragment, span: Span, encoding: str) -> Match:
    """The match within a copy, at the place of the encoded run."""
    finding = replace(
        match.finding,
        provenance=fragment.at(span.line, span.column),
        span=span,
        also=(),
        reason=f"{match.finding.reason}+{encoding}",
    )
    return Match(finding=finding, parts=match.parts)


def _read(text: bytes, path: str, scan: Scan, depth: int) -> list[Match]:
    """The matches of decoded text, and of what is encoded in it in turn."""
    # Decoded text is no program, whatever the file around it: a bare word in it is a value.
    found = list(scan(Fragment(data=text, provenance=InStream(path=f"{path}.txt"))))
    if depth:
        for each in islice(copies(text), MOST_RUNS):
            for match in _read(each.text, path, scan, depth - 1):
                finding = replace(match.finding, reason=f"{match.finding.reason}+{each.encoding}")
                found.append(Match(finding=finding, parts=match.parts))
    return found


def _merged(direct: tuple[Match, ...], hidden: list[Match]) -> tuple[Match, ...]:
    """One report for one place: a provider's rule beats a generic one, the plain form the copy."""
    named = [each.finding for each in direct if each.finding.provider != "generic"]
    known = {each.finding.fingerprint for each in direct}
    fresh: dict[tuple[str, int, int], Match] = {}
    for each in hidden:
        finding = each.finding
        if finding.fingerprint in known and any(_meet(finding, other.finding) for other in direct):
            continue
        if not any(_meet(finding, other) for other in named):
            key = (finding.fingerprint, finding.span.line, finding.span.column)
            fresh.setdefault(key, each)
    kept = [
        each
        for each in direct
        if each.finding.provider != "generic"
        or not any(
            _meet(each.finding, other.finding)
            and other.finding.confidence.rank >= each.finding.confidence.rank
            for other in fresh.values()
        )
    ]
    both = [*kept, *fresh.values()]
    return tuple(sorted(both, key=lambda m: (m.finding.span.line, m.finding.span.column)))


def _meet(one: Finding, other: Finding) -> bool:
    a, b = one.span, other.span
    begins = (a.line, a.column) < (b.end_line, b.end_column)
    return begins and (b.line, b.column) < (a.end_line, a.end_column)

"""What of a fragment is worth judging: few strings, kept apart from the bytes around them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from stanch.scanner.anomaly.block import in_block
from stanch.scanner.anomaly.token import distinct, is_suspicious
from stanch.scanner.model.finding import Span
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import Provenance

MOST_COMPANY = 128
"""More machine-made tokens in a fragment, and none of them can be a surprise."""


class Suspect(NamedTuple):
    """A token that looks machine-made; ``start`` is its offset in the fragment."""

    token: bytes
    start: int
    span: Span

    def __repr__(self) -> str:
        """Without the token, which may be a secret."""
        return f"Suspect(<{len(self.token)} bytes>, start={self.start})"


class Suspects(NamedTuple):
    """The suspects that a fragment owns; ``company`` counts its neighbours' too."""

    provenance: Provenance
    company: int
    found: tuple[Suspect, ...]


def suspects_of(fragment: Fragment) -> Suspects | None:
    """The fragment's machine-made tokens, each at its first place; None when that is no news."""
    hot = [
        (start, token) for token, start in distinct(fragment.data).items() if is_suspicious(token)
    ]
    if not 0 < len(hot) <= MOST_COMPANY:
        return None
    found = tuple(_owned(fragment, hot))
    if not found:
        return None
    return Suspects(provenance=fragment.provenance, company=len(hot), found=found)


def _owned(fragment: Fragment, hot: list[tuple[int, bytes]]) -> Iterator[Suspect]:
    """With positions of the whole file; without pieces of data, and what a neighbour owns."""
    data = fragment.data
    lines, counted = [fragment.first_line], 0
    for start, _ in hot:
        lines.append(lines[-1] + data.count(b"\n", counted, start))
        counted = start
    inside = in_block(data, hot, lines[1:])
    for index, (start, token) in enumerate(hot):
        if index in inside:
            continue
        line = lines[index + 1]
        column = start - data.rfind(b"\n", 0, start)
        if line == fragment.first_line:
            column += fragment.first_column - 1
        if fragment.owned is not None:
            begin, end = fragment.owned
            if not begin <= (line, column) < end:
                continue
        span = Span(line=line, column=column, end_line=line, end_column=column + len(token))
        yield Suspect(token=token, start=start, span=span)

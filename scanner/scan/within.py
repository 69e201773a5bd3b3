"""Says of findings in a text that has structure where in there they are."""

from __future__ import annotations

from itertools import accumulate

from stanch.scanner.model.finding import Match
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.record import replace
from stanch.scanner.sources.content.document.text_place import reader


def within(fragment: Fragment, matches: tuple[Match, ...]) -> tuple[Match, ...]:
    """The matches with ``within``; a place in whose name one of the values stands has none."""
    places = reader(fragment) if fragment.origin is None else None
    if places is None:
        return matches
    lengths = (len(line) + 1 for line in fragment.data.split(b"\n"))
    starts = list(accumulate(lengths, initial=0))
    spans = [each.finding.span for each in matches]
    offsets = [starts[span.line - fragment.first_line] + span.column - 1 for span in spans]
    data, base = fragment.data, 0
    if fragment.owned is not None and fragment.whole is not None:
        data = fragment.whole()
        base = data.find(fragment.data)  # not there when it was transcoded, or has changed
    found = places(data, [offset + base for offset in offsets]) if base >= 0 else {}
    values = [value.reveal() for each in matches for value in each.parts.values()]
    return tuple(
        replace(match, finding=replace(match.finding, within=place))
        if (place := found.get(offset + base)) and not any(v in place.encode() for v in values)
        else match
        for match, offset in zip(matches, offsets, strict=True)
    )

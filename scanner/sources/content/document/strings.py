"""Texts that a binary file keeps, one a line, with their number as a name."""

from __future__ import annotations

from collections.abc import Iterable

from stanch.scanner.sources.content.document.opening import Opening, Pieces, Text

#: Shorter ones are names of things; no credential is.
SHORTEST = 8


def numbered(texts: Iterable[bytes], opening: Opening) -> Pieces:
    """The texts that are long enough; a number counts the short ones, too."""
    text = Text(opening)
    for number, each in enumerate(texts, 1):
        if len(each) >= SHORTEST:
            yield from text.add(f"string {number}", each)
    yield from text.done()

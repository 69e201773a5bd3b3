"""Parts of an office package, each read as XML; a broken one is a gap, the others are read."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping
from zipfile import ZipFile

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.sources.content.document.opening import DamagedError, Opening, Pieces, Text
from stanch.scanner.sources.content.document.xml_text import Events, parsed

Read = Generator[Fragment | Gap, None, frozenset[str]]
LONGEST = 1 << 20
"""Characters of one piece; what is longer comes in several."""
_LEAST = 20
_REPEATS = ("string-value",)  # what the cell's text says as well


class Collected(Events):
    """Events that put named pieces together; whoever reads takes them block by block."""

    def __init__(self) -> None:
        self.ready: list[tuple[str, str, str]] = []  # name, text, what stands behind it
        self._long = 0

    def attributes(self, place: str, attributes: Mapping[str, str]) -> None:
        """Descriptions, links, fields and formulas stand in attributes; short ones are measures."""
        for key, value in attributes.items():
            if len(value) >= _LEAST and key not in _REPEATS and "schemas." not in value:
                self.say(place, value)

    def joined(self, pieces: list[str], said: str) -> bool:
        """Add to what will be one piece; whether it has become so long that it has to be said."""
        self._long = self._long + len(said) if pieces else len(said)
        pieces.append(said)
        return self._long >= LONGEST

    def say(self, name: str, said: str, end: str = "\n") -> None:
        """One piece is complete."""
        if said.strip():
            self.ready.append((name, said, end))


def part(opened: ZipFile, name: str, events: Collected, opening: Opening, text: Text) -> Pieces:
    """What one part says; a :class:`DamagedError` for one that cannot be read."""
    with opened.open(name) as file:
        for _ in parsed(file, events, opening.take):
            ready, events.ready = events.ready, []
            for called, said, end in ready:
                yield from text.add(called, said.encode("utf-8", "replace"), end.encode())


def parts(
    opened: ZipFile,
    opening: Opening,
    wanted: re.Pattern[str],
    events: Callable[[str], Collected],
) -> Read:
    """Every part whose name fits, and the names of those that were read whole.

    A broken one is said, and left to be read as a file of XML.
    """
    text = Text(opening)
    done = set()
    for name in opened.namelist():
        if not wanted.fullmatch(name):
            continue
        if opened.getinfo(name).flag_bits & 1:
            continue  # sealed: whoever lists the members says so
        try:
            yield from part(opened, name, events(name), opening, text)
            done.add(name)
        except DamagedError as error:
            why = f"damaged or unsupported: {error}"
            yield Gap(path=f"{opening.place.path}!{name}", why=why, incomplete=True)
    yield from text.done()
    return frozenset(done)

"""All rules at once: where could a rule match at all?

Hyperscan looks for every rule's pattern in one pass and says where a match could *end*. The engine
lets ``re`` confirm in windows around those places. Patterns are compiled in Hyperscan's prefilter
mode, which may report too much but never too little, so what is confirmed is exactly what ``re``
alone would find (``stanch rules check`` and the property tests hold the two against each other).

Where it can, Hyperscan also says where the match could *begin*, which spares ``re`` the search.

A rule with keywords is anchored on them instead: a loose pattern such as "forty base64 characters"
costs nothing where no keyword is near. A database of that pattern alone then says whether it could
match near the keyword at all, since words such as "aws" are common ("draws") and what they
announce is not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import hyperscan

from stanch.scanner.local import cache

Screen = Callable[[bytes, int, int, str], bool]
"""Says of ``data[begin:end]``, a match in a file of that path, that its check dismisses it."""

_NONE: Mapping[int, Screen] = {}
#: Marks are numbered from here, rules below.
MARK = 1 << 20
#: How many bytes a keyword may be away from the secret.
NEAR = 400
#: Look-ahead that a pattern may need behind a window, in bytes.
MARGIN = 8

Marks = dict[int, int]
"""The marks that are present, by number, and where the first place of each ends."""

Window = tuple[int, int]
"""A stretch ``(start, end)`` in which a match may begin: ``start <= match.start < end``."""

_Event = tuple[int, int, int]
"""The index of a pattern, where a match begins (0: not known) and where it ends."""


class Prefilter:
    """The compiled database over a fixed sequence of rules.

    ``reach`` says for each rule how far in front of and behind a reported end a match may begin;
    ``loose`` how far beyond a window the pattern of a rule with keywords has to be looked at, in
    the database of that pattern alone that ``value`` gives when the first keyword is met.
    """

    __slots__ = ("_database", "_loose", "_reach", "_value", "_values")

    def __init__(
        self,
        database: hyperscan.Database,
        *,
        value: Callable[[int], hyperscan.Database],
        reach: Sequence[tuple[int, int]],
        loose: Mapping[int, int],
    ) -> None:
        self._database = database
        self._reach = reach
        self._loose = loose
        self._value = value
        self._values: dict[int, hyperscan.Database] = {}

    def windows(self, data: bytes) -> dict[int, list[Window]]:
        """For each rule's index the merged windows in which it may match, in order of position."""
        return self.look(data)[0]

    def look(
        self,
        data: bytes,
        path: str = "",
        screens: Mapping[int, Screen] = _NONE,
        part: Window | None = None,
    ) -> tuple[dict[int, list[Window]], Marks]:
        """The windows, and the marks, of the data or of a ``part`` of them.

        What the screen of a rule dismisses, by the rule's index, is left out. Only a rule whose
        matches Hyperscan finds exactly can have one.
        """
        found: dict[int, list[Window]] = {}
        marks: Marks = {}
        reach = self._reach
        size = len(data)
        for index, start, end in self._events(data, part):
            if index >= MARK:
                marks.setdefault(index - MARK, end)
                continue
            if start and index in screens and screens[index](data, start, end, path):
                continue
            before, behind = reach[index]
            if not start:  # unknown, or the very beginning
                start = end - before if end > before else 0  # noqa: PLW2901 - hot
            stop = min(size, end + behind)
            windows = found.get(index)
            if windows is None:
                found[index] = [(start, stop)]
            elif windows[-1][0] <= start <= windows[-1][1]:
                if stop > windows[-1][1]:
                    windows[-1] = (windows[-1][0], stop)
            else:
                windows.append((start, stop))
        return (self._narrowed(found, data) if found else found), marks

    def _events(self, data: bytes, part: Window | None) -> list[_Event]:
        """What Hyperscan finds, placed in all of the data."""
        events: list[_Event] = []

        def note(index: int, start: int, end: int, _flags: int, _context: object) -> None:
            events.append((index, start, end))

        if part is None:
            self._database.scan(data, match_event_handler=note)
            return events
        first, last = part
        self._database.scan(data[first:last], match_event_handler=note)
        return [(index, start and start + first, end + first) for index, start, end in events]

    def _narrowed(self, found: dict[int, list[Window]], data: bytes) -> dict[int, list[Window]]:
        """By rule, the merged windows in which it can match."""
        return {
            index: windows
            for index in sorted(found)
            if (windows := self._promising(index, _merged(found[index]), data))
        }

    def _promising(self, index: int, windows: list[Window], data: bytes) -> list[Window]:
        """Without those around a keyword in which the rule's own pattern cannot match."""
        reach = self._loose.get(index)
        if reach is None:
            return windows
        if index not in self._values:
            self._values[index] = self._value(index)
        values = self._values[index]
        return [
            (start, end)
            for start, end in windows
            if _hits(values, data[max(0, start - MARGIN) : end + reach])
        ]


def _hits(database: hyperscan.Database, data: bytes) -> bool:
    hit = False

    def report(*_event: object) -> None:
        nonlocal hit
        hit = True

    database.scan(data, match_event_handler=report)
    return hit


def _merged(windows: list[Window]) -> list[Window]:
    """Sorted and without overlaps, so that every place is confirmed once."""
    if len(windows) == 1:
        return windows
    merged: list[Window] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1]:
            if end > merged[-1][1]:
                merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def stored(folder: cache.Folder, name: str) -> hyperscan.Database | None:
    """The database that is kept under a name, None when there is none that works here."""
    body = cache.read(folder, name, checked=False)
    if body is None:
        return None
    try:  # Hyperscan keeps a checksum of its own, and looks at it
        database: hyperscan.Database = hyperscan.loadb(body, hyperscan.HS_MODE_BLOCK)
    except hyperscan.HyperscanError:  # broken, of another version, or for another processor
        return None
    database.scratch = hyperscan.Scratch(database)
    return database

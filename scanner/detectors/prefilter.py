"""All rules at once: where could a rule match at all?

Hyperscan looks for every rule's pattern in one pass and says where a match could *end*. The engine
lets ``re`` confirm in windows around those places. Patterns are compiled in Hyperscan's prefilter
mode, which may report too much but never too little, so what is confirmed is exactly what ``re``
alone would find (``stanch rules check`` and the property tests hold the two against each other).

Where it can, Hyperscan also says where the match could *begin*, which spares ``re`` the search.

A rule with keywords is anchored on them instead: a loose pattern such as "forty base64 characters"
costs nothing where no keyword is near. For keywords a second database then says whether the pattern
could match near them at all, since words such as "aws" are common ("draws") and what they announce
is not.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import hyperscan

from scanner.detectors import cache
from scanner.detectors.pattern import width_of
from scanner.model.rule import Rule

_VERSION = str(vars(hyperscan)["__version__"]).encode()
_SUPERSET: int = hyperscan.HS_FLAG_PREFILTER
_ONCE: int = hyperscan.HS_FLAG_PREFILTER | hyperscan.HS_FLAG_SINGLEMATCH
_WITH_START: int = hyperscan.HS_FLAG_SOM_LEFTMOST
_LOOKS_AROUND = re.compile(r"\(\?<?[=!]|\\[bB]")
_MARK = 1 << 20  # marks are numbered from here, rules below
#: How many bytes a keyword may be away from the secret.
NEAR = 400
#: Look-ahead that a pattern may need behind a window, in bytes.
MARGIN = 8


Window = tuple[int, int]
"""A stretch ``(start, end)`` in which a match may begin: ``start <= match.start < end``."""


@dataclass(frozen=True, slots=True)
class _Pattern:
    """What Hyperscan looks for, the rule it stands for, and how it is wanted."""

    index: int
    expression: bytes
    flags: int


_Event = tuple[int, int, int]
"""The index of a pattern, where a match begins (0: not known) and where it ends."""


class _Reach(dict[int, tuple[int, int]]):
    """How far in front of and behind a reported end a match may begin, for each rule's index.

    Learnt on first use: measuring a pattern costs far more than starting without.
    """

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = rules

    def __missing__(self, index: int) -> tuple[int, int]:
        rule = self._rules[index]
        widest = width_of(rule.pattern)
        self[index] = (widest + NEAR, NEAR) if rule.keywords else (widest, 0)
        return self[index]


class Prefilter:
    """The compiled database over a fixed sequence of rules."""

    __slots__ = ("_database", "_folder", "_loose", "_reach", "_values")

    def __init__(
        self, rules: Sequence[Rule], *, folder: Path | None, marks: Sequence[bytes] = ()
    ) -> None:
        """``marks`` are further patterns of which only the presence is asked, see :meth:`look`."""
        self._reach = _Reach(rules)
        self._folder = folder
        self._loose = {index: rule for index, rule in enumerate(rules) if rule.keywords}
        wanted = [_Pattern(i, expression(rule), _wanted(rule)) for i, rule in enumerate(rules)]
        wanted += [_Pattern(_MARK + i, mark, _ONCE) for i, mark in enumerate(marks)]
        self._database = _database(wanted, folder)
        self._values: hyperscan.Database | None = None  # loaded when a keyword is met

    def windows(self, data: bytes) -> dict[int, list[Window]]:
        """For each rule's index the merged windows in which it may match, in order of position."""
        return self.look(data)[0]

    def look(self, data: bytes) -> tuple[dict[int, list[Window]], int]:
        """The windows, and which marks are present: the first is bit 0."""
        events: list[_Event] = []

        def note(index: int, start: int, end: int, _flags: int, _context: object) -> None:
            events.append((index, start, end))

        self._database.scan(data, match_event_handler=note)
        if not events:
            return {}, 0
        found: dict[int, list[Window]] = {}
        reach = self._reach
        size = len(data)
        marked = 0
        for index, start, end in events:
            if index >= _MARK:
                marked |= 1 << (index - _MARK)
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
        promising = {
            index: windows
            for index in sorted(found)
            if (windows := self._promising(index, _merged(found[index]), data))
        }
        return promising, marked

    def _promising(self, index: int, windows: list[Window], data: bytes) -> list[Window]:
        """Without those around a keyword in which the rule's own pattern cannot match."""
        rule = self._loose.get(index)
        if rule is None:
            return windows
        if self._values is None:
            self._values = _database(
                [_Pattern(i, each.pattern.encode(), _ONCE) for i, each in self._loose.items()],
                self._folder,
            )
        values, reach = self._values, width_of(rule.pattern) + MARGIN
        seen: set[int] = set()

        def report(index: int, *_event: object) -> None:
            seen.add(index)

        kept = []
        for start, end in windows:
            seen.clear()
            stretch = data[max(0, start - MARGIN) : end + reach]
            values.scan(stretch, match_event_handler=report)
            if index in seen:
                kept.append((start, end))
        return kept

    def may_match(self, data: bytes) -> bool:
        """Whether any rule could match; cheaper than :meth:`windows` when one does."""
        hit = False

        def report(index: int, *_event: object) -> bool:
            nonlocal hit
            hit = hit or index < _MARK
            return hit  # a true answer stops the scan

        try:
            self._database.scan(data, match_event_handler=report)
        except hyperscan.ScanTerminated:
            return True
        return hit


def expression(rule: Rule) -> bytes:
    """What Hyperscan looks for: the rule's keywords, or its pattern."""
    if rule.keywords:
        return b"(?i:" + b"|".join(re.escape(word.encode()) for word in rule.keywords) + b")"
    return rule.pattern.encode()


def _wanted(rule: Rule) -> int:
    """Exactly and with its beginning where Hyperscan may know it, else the superset's ends."""
    return _SUPERSET if rule.keywords or _LOOKS_AROUND.search(rule.pattern) else _WITH_START


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


def _database(patterns: Sequence[_Pattern], folder: Path | None) -> hyperscan.Database:
    digest = hashlib.sha256(_VERSION)
    for each in patterns:
        head = b"%d:%d:%d:" % (each.index, each.flags, len(each.expression))
        digest.update(head + each.expression)
    name = f"prefilter-{digest.hexdigest()[:32]}.hs"
    stored = cache.read(folder, name)
    if stored is not None:
        # Made by another version or on another processor: compiled anew below.
        with suppress(hyperscan.HyperscanError):
            database = hyperscan.loadb(stored, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
            return database
    database = _compiled(patterns, [_possible(each) for each in patterns])
    cache.write(folder, name, hyperscan.dumpb(database))
    return database


def _possible(pattern: _Pattern) -> int:
    """The wanted flags, or the superset's where the pattern is too large for its beginning."""
    if pattern.flags == _WITH_START:
        try:
            _compiled([pattern], [_WITH_START])
        except hyperscan.HyperscanError:
            return _SUPERSET
    return pattern.flags


def _compiled(patterns: Sequence[_Pattern], flags: Sequence[int]) -> hyperscan.Database:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[each.expression for each in patterns],
        ids=[each.index for each in patterns],
        elements=len(patterns),
        flags=list(flags),
    )
    return database

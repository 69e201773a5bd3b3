"""All rules at once: where could a rule match at all?

Hyperscan looks for every rule's pattern in one pass and says where a match could *end*. The engine
lets ``re`` confirm in windows around those places. Patterns are compiled in Hyperscan's prefilter
mode, which may report too much but never too little, so what is confirmed is exactly what ``re``
alone would find (``stanch rules check`` and the property tests hold the two against each other).

A rule with keywords is anchored on them instead: a loose pattern such as "forty base64 characters"
costs nothing where no keyword is near.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import hyperscan

from scanner.detectors import cache
from scanner.detectors.pattern import width_of
from scanner.model.rule import Rule

_VERSION = str(vars(hyperscan)["__version__"]).encode()
#: How many bytes a keyword may be away from the secret.
NEAR = 400
#: Look-ahead that a pattern may need behind a window, in bytes.
MARGIN = 8


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch in which a match may begin: ``start <= match.start < end``."""

    start: int
    end: int


class Prefilter:
    """The compiled database over a fixed sequence of rules."""

    __slots__ = ("_database", "_reach")

    def __init__(self, rules: Sequence[Rule], *, folder: Path | None) -> None:
        # How far in front of and behind a reported end a match may begin.
        self._reach = [_reach(rule) for rule in rules]
        self._database = _database(rules, folder)

    def windows(self, data: bytes) -> dict[int, list[Window]]:
        """For each rule's index the merged windows in which it may match, in order of position."""
        found: dict[int, list[list[int]]] = {}
        reach = self._reach
        size = len(data)

        def report(index: int, _start: int, end: int, _flags: int, _context: object) -> None:
            before, behind = reach[index]
            start = end - before if end > before else 0
            stop = min(end + behind, size)
            windows = found.get(index)
            if windows is None:
                found[index] = [[start, stop]]
            elif windows[-1][0] <= start <= windows[-1][1]:
                windows[-1][1] = max(windows[-1][1], stop)
            else:
                windows.append([start, stop])

        self._database.scan(data, match_event_handler=report)
        return {index: _merged(found[index]) for index in sorted(found)}

    def may_match(self, data: bytes) -> bool:
        """Whether any rule could match; cheaper than :meth:`windows` when one does."""
        hit = False

        def report(*_event: object) -> bool:
            nonlocal hit
            hit = True
            return True  # a true answer stops the scan

        try:
            self._database.scan(data, match_event_handler=report)
        except hyperscan.ScanTerminated:
            return True
        return hit


def expression(rule: Rule) -> bytes:
    """What Hyperscan looks for: the rule's own pattern, or its keywords when it has any."""
    if rule.keywords:
        return b"(?i:" + b"|".join(re.escape(word.encode()) for word in rule.keywords) + b")"
    return rule.pattern.encode()


def _merged(windows: list[list[int]]) -> list[Window]:
    """Sorted and without overlaps, so that every place is confirmed once."""
    merged: list[list[int]] = []
    for start, end in sorted(windows):
        if merged and start <= merged[-1][1]:
            merged[-1][1] = max(merged[-1][1], end)
        else:
            merged.append([start, end])
    return [Window(start, end) for start, end in merged]


def _reach(rule: Rule) -> tuple[int, int]:
    widest = width_of(rule.pattern)
    return (widest + NEAR, NEAR) if rule.keywords else (widest, 0)


def _database(rules: Sequence[Rule], folder: Path | None) -> hyperscan.Database:
    expressions = [expression(rule) for rule in rules]
    digest = hashlib.sha256(_VERSION)
    for each in expressions:
        digest.update(len(each).to_bytes(4, "big") + each)
    name = f"prefilter-{digest.hexdigest()[:32]}.hs"
    stored = cache.read(folder, name)
    if stored is not None:
        try:
            database = hyperscan.loadb(stored, hyperscan.HS_MODE_BLOCK)
            database.scratch = hyperscan.Scratch(database)
        except hyperscan.HyperscanError:
            pass  # made by another version or on another processor: compiled anew below
        else:
            return database
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=expressions,
        ids=list(range(len(rules))),
        elements=len(rules),
        flags=[hyperscan.HS_FLAG_PREFILTER] * len(rules),
    )
    cache.write(folder, name, hyperscan.dumpb(database))
    return database

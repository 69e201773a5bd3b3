"""Exact confirmation: what ``re`` finds in the windows that the prefilter left."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from stanch.scanner.detectors.matching.pattern import compiled, keywords, width_of
from stanch.scanner.detectors.matching.prefilter import MARGIN, NEAR, Window
from stanch.scanner.detectors.text import regex_cache
from stanch.scanner.model.rule import Rule


class Place(NamedTuple):
    """Where a pattern matches: ``begin`` is the whole match's, the rest its secret's."""

    begin: int
    start: int
    end: int


def confirmed(
    rule: Rule, data: bytes, windows: Sequence[Window], most: int | None = None
) -> list[Place]:
    """The places of the rule's secret in ``data``, its first group; at most ``most`` of them.

    Work is linear in the windows: each position is tried once, against a pattern of bounded width.
    """
    search = compiled(rule.pattern).search
    reach = width_of(rule.pattern) + MARGIN
    places: list[Place] = []
    cursor = 0
    for start, end in windows:
        cursor = max(cursor, start)
        while cursor < end:
            match = search(data, cursor, end + reach)
            if match is None or match.start() >= end:
                break  # one that begins later may be cut off here; a later window has it whole
            cursor = max(match.end(), cursor + 1)
            if not rule.keywords or near_keyword(rule, data, match.start(), match.end()):
                places.append(_place(match))
                if len(places) == most:
                    return places
    return places


def everywhere(rule: Rule, data: bytes) -> list[Place]:
    """The same by ``re`` alone over the whole data: the twin that proves the prefilter."""
    return [
        _place(match)
        for match in compiled(rule.pattern).finditer(data)
        if not rule.keywords or near_keyword(rule, data, match.start(), match.end())
    ]


def near_keyword(rule: Rule, data: bytes, start: int, end: int) -> bool:
    """Whether one of the rule's keywords is close enough."""
    return _keyword(rule.keywords).search(data, max(0, start - NEAR), end + NEAR) is not None


def _place(match: re.Match[bytes]) -> Place:
    group = match.re.groupindex.get("value", 1) if match.re.groups else 0
    return Place(match.start(), *match.span(group if match.start(group) >= 0 else 0))


@cache
def _keyword(words: tuple[str, ...]) -> re.Pattern[bytes]:
    return regex_cache.of_rule(keywords(words))

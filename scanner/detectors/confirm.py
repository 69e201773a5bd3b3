"""Exact confirmation: what ``re`` finds in the windows that the prefilter left."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cache

from scanner.detectors.pattern import compiled, width_of
from scanner.detectors.prefilter import MARGIN, NEAR, Window
from scanner.model.rule import Rule


def confirmed(rule: Rule, data: bytes, windows: Sequence[Window]) -> Iterator[tuple[int, int]]:
    """The places of the rule's secret in ``data``: ``(start, end)`` of its first group.

    Work is linear in the windows: each position is tried once, against a pattern of bounded width.
    """
    pattern = compiled(rule.pattern)
    reach = width_of(rule.pattern) + MARGIN
    cursor = 0
    for window in windows:
        cursor = max(cursor, window.start)
        while cursor < window.end:
            match = pattern.search(data, cursor, window.end + reach)
            if match is None or match.start() >= window.end:
                break  # one that begins later may be cut off here; a later window has it whole
            cursor = max(match.end(), cursor + 1)
            if near_keyword(rule, data, match.start(), match.end()):
                yield _secret(match)


def everywhere(rule: Rule, data: bytes) -> Iterator[tuple[int, int]]:
    """The same by ``re`` alone over the whole data: the twin that proves the prefilter."""
    for match in compiled(rule.pattern).finditer(data):
        if near_keyword(rule, data, match.start(), match.end()):
            yield _secret(match)


def near_keyword(rule: Rule, data: bytes, start: int, end: int) -> bool:
    """Whether one of the rule's keywords is close enough; true for rules without keywords."""
    if not rule.keywords:
        return True
    return _keyword(rule.keywords).search(data, max(0, start - NEAR), end + NEAR) is not None


def _secret(match: re.Match[bytes]) -> tuple[int, int]:
    return match.span(1) if match.re.groups and match.start(1) >= 0 else match.span()


@cache
def _keyword(keywords: tuple[str, ...]) -> re.Pattern[bytes]:
    return re.compile(b"|".join(re.escape(word.encode()) for word in keywords), re.IGNORECASE)

"""One secret at one place is one finding: the most specific rule wins."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Iterable
from functools import cache

from stanch.scanner.detectors.candidate import Disposition, Judged
from stanch.scanner.detectors.context.provider_value import NEAR
from stanch.scanner.detectors.matching.pattern import lead_of
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.rule import RuleClass

_FAR = 120  # bytes in front of a value in which the name that leads to it may begin


def resolved(judged: Iterable[Judged]) -> list[Judged]:
    """Without overlaps, in order of position. Harmless places silence weaker rules, then go too."""
    ranked = sorted(judged, key=_rank)
    starts: list[int] = []
    chosen: dict[int, Judged] = {}
    for each in ranked:
        at = bisect_left(starts, each.end)
        # Chosen places do not overlap, so only the nearest one in front can reach into this one.
        if at and chosen[starts[at - 1]].end > each.start:
            _add_up(chosen[starts[at - 1]], each)
            continue
        insort(starts, each.start)
        chosen[each.start] = each
    return [chosen[start] for start in starts if chosen[start].fate is not Disposition.HARMLESS]


def _add_up(named: Judged, general: Judged) -> None:
    """A value close to a provider's name, in a place where a secret stands, is that provider's."""
    if general.rule.rule_class is not RuleClass.D or named.reason != NEAR:
        return
    if general.start == named.start and general.confidence.rank > named.confidence.rank:
        named.confidence, named.reason = general.confidence, general.reason


def _rank(each: Judged) -> tuple[str, int, int, int, int, int, str]:
    """Class, then the surer, the longer, the one whose name is nearest, the earlier.

    Of those the better checked; ids make the order total.
    """
    rule = each.rule
    return (
        rule.rule_class.value,
        -each.confidence.rank,
        each.start - each.end,
        _distance(each) if rule.rule_class is RuleClass.C else 0,
        each.start,
        -len(rule.checks),
        rule.id,
    )


def _distance(each: Judged) -> int:
    """How far in front of the value its provider's name ends."""
    lead = lead_of(each.rule.pattern)
    if lead is None:
        return _FAR
    front = each.candidate.data[max(0, each.start - _FAR) : each.start]
    return len(front) - max((name.end() for name in _names(lead).finditer(front)), default=0)


@cache
def _names(lead: str) -> re.Pattern[bytes]:
    return regex(lead.encode("ascii"))

"""One secret at one place is one finding: the most specific rule wins."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable

from scanner.detectors.candidate import Fate, Judged


def resolved(judged: Iterable[Judged]) -> list[Judged]:
    """Without overlaps, in order of position. Harmless places silence weaker rules, then go too."""
    ranked = sorted(judged, key=_rank)
    starts: list[int] = []
    chosen: dict[int, Judged] = {}
    for each in ranked:
        at = bisect_left(starts, each.end)
        # Chosen places do not overlap, so only the nearest one in front can reach into this one.
        if at and chosen[starts[at - 1]].end > each.start:
            continue
        insort(starts, each.start)
        chosen[each.start] = each
    return [chosen[start] for start in starts if chosen[start].fate is not Fate.HARMLESS]


def _rank(each: Judged) -> tuple[str, int, int, int, str]:
    """Class first, then the longer, the earlier, the better checked; ids make the order total."""
    rule = each.rule
    return (rule.rule_class.value, each.start - each.end, each.start, -len(rule.checks), rule.id)

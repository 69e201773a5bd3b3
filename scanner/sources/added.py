"""What two versions of a file have in common: only the rest has to be searched again."""

from __future__ import annotations


def alike(one: bytes, other: bytes) -> tuple[int, int]:
    """How many bytes both begin with, and how many of the rest both end with.

    By halving: comparing is quick, a loop is not.
    """
    most = min(len(one), len(other))
    front = _in_front(one, other, most)
    return front, _behind(one, other, most - front)


def _in_front(one: bytes, other: bytes, most: int) -> int:
    low, high = 0, most
    if one[:high] == other[:high]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle
    return low


def _behind(one: bytes, other: bytes, most: int) -> int:
    ones, others = len(one), len(other)
    low, high = 0, most
    if one[ones - high :] == other[others - high :]:
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if one[ones - middle : ones - low] == other[others - middle : others - low]:
            low = middle
        else:
            high = middle
    return low

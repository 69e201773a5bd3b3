"""What two versions of a file have in common: only the rest has to be searched again."""

from __future__ import annotations

_NEAR = 256  # bytes; whatever differs in so few is found at once


def alike(one: bytes, other: bytes) -> tuple[int, int]:
    """How many bytes both begin with, and how many of the rest both end with.

    By halving: comparing is quick, a loop is not.
    """
    most = min(len(one), len(other))
    view = memoryview(other)  # its parts are no copies
    front = _in_front(one, view, most)
    return front, _behind(one, view, most - front)


def _in_front(one: bytes, other: memoryview, most: int) -> int:
    if one.startswith(other[:most]):
        return most
    low, high = 0, most
    while high - low > _NEAR:
        middle = (low + high) // 2
        if one.startswith(other[low:middle], low):
            low = middle
        else:
            high = middle
    apart = int.from_bytes(one[low:high], "big") ^ int.from_bytes(other[low:high], "big")
    return high - (apart.bit_length() + 7) // 8


def _behind(one: bytes, other: memoryview, most: int) -> int:
    ones, others = len(one), len(other)
    if one.endswith(other[others - most :]):
        return most
    low, high = 0, most
    while high - low > _NEAR:
        middle = (low + high) // 2
        if one.endswith(other[others - middle : others - low], 0, ones - low):
            low = middle
        else:
            high = middle
    ours, theirs = one[ones - high : ones - low], other[others - high : others - low]
    apart = int.from_bytes(ours, "little") ^ int.from_bytes(theirs, "little")
    return high - (apart.bit_length() + 7) // 8

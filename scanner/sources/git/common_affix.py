"""What a version of a file has in common with the one before: only the rest is searched again."""

from __future__ import annotations

_NEAR = 256  # bytes; whatever differs in so few is found at once
_WORTH = 4096  # bytes; a shorter stretch is searched sooner than it is compared
_STEP = 1024  # bytes; so far behind a difference the versions may agree again
_ANCHOR = 64  # bytes that are looked for in the version before
_ASIDE = 16 << 10  # bytes; how far from where it is expected
_LONGEST_STEP = 16 << 10

Stretch = tuple[int, int]
"""Where something new begins and ends; empty where something was taken away."""


def changes(before: bytes, content: bytes) -> list[Stretch]:
    """The stretches of ``content`` that are not in ``before``, in order.

    All else stands there in the same words. Not the fewest stretches: blocks of equal text are
    looked for now and then, and missing one costs no more than searching it.
    """
    front, behind = alike(before, content)
    end = len(content) - behind
    if end - front <= _WORTH:
        return [(front, end)]
    found: list[Stretch] = []
    begin = there = front  # what is in front of these is told, in the content and before
    probe, step = front + _STEP, _STEP
    last, most = end - _ANCHOR, len(before) - behind
    while probe <= last:
        at = _expected(before, content[probe : probe + _ANCHOR], there + probe - begin, there, most)
        if at < 0:
            step = min(2 * step, _LONGEST_STEP)
            probe += step
            continue
        back = _behind(
            before[there:at], memoryview(content)[begin:probe], min(at - there, probe - begin)
        )
        ahead = _in_front(
            before[at:most], memoryview(content)[probe:end], min(most - at, end - probe)
        )
        found.append((begin, probe - back))
        begin, there = probe + ahead, at + ahead
        probe, step = begin + _STEP, _STEP
    found.append((begin, end))
    return found


def alike(one: bytes, other: bytes) -> tuple[int, int]:
    """How many bytes both begin with, and how many of the rest both end with.

    By halving: comparing is quick, a loop is not.
    """
    most = min(len(one), len(other))
    view = memoryview(other)  # its parts are no copies
    front = _in_front(one, view, most)
    return front, _behind(one, view, most - front)


def _expected(before: bytes, anchor: bytes, near: int, least: int, most: int) -> int:
    """Where the anchor stands in ``before[least:most]``, not far from where it would; or -1."""
    return before.find(anchor, max(least, near - _ASIDE), min(most, near + _ASIDE))


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

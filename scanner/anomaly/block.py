"""Data written as text: images, certificates and tables that run over lines or fill one."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

_ALONE = re.compile(rb"[\s\"'`,;:+\\()\[\]{}=#*|>/.&-]{0,80}")
_AROUND = 80  # bytes
_LINES = 3
_IN_A_LINE = 4


def in_block(data: bytes, hot: Sequence[tuple[int, bytes]], lines: Sequence[int]) -> frozenset[int]:
    """The indices of tokens that are pieces of data rather than values of their own.

    ``hot`` holds offset and token in order, ``lines`` the line of each. Three lines in a row that
    hold nothing but a token are a block, and so are four tokens in one line. Values with a name of
    their own (a ``.env`` file) are not alone in their lines.
    """
    crowded = {line for line, count in Counter(lines).items() if count >= _IN_A_LINE}
    inside = {index for index, line in enumerate(lines) if line in crowded}
    run: list[int] = []
    for index, (start, token) in enumerate(hot):
        if not _is_alone(data, start, start + len(token)):
            run = []
        elif run and lines[index] == lines[run[-1]] + 1:
            run.append(index)
        else:
            run = [index]
        if len(run) >= _LINES:
            inside.update(run)
    return frozenset(inside)


def _is_alone(data: bytes, start: int, end: int) -> bool:
    begin = data.rfind(b"\n", max(0, start - _AROUND), start) + 1
    if not begin and start > _AROUND:
        return False
    stop = data.find(b"\n", end, end + _AROUND)
    if stop < 0:
        stop = len(data)
        if stop > end + _AROUND:
            return False
    return bool(_ALONE.fullmatch(data, begin, start) and _ALONE.fullmatch(data, end, stop))

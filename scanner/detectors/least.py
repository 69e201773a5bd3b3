"""The least that a pattern matches: what may be repeated at its end is there as often as it must.

Hyperscan says of a match every place where it could end. One that ends in ``[A-Za-z]{80,300}`` is
met hundreds of times in a long run of letters, and an embedded image or program is one run of a
million. In its least form it is met once for each beginning, at which the whole may be looked for.
"""

from __future__ import annotations

import re

_TOKEN = re.compile(
    rb"\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3}|\\."  # what a backslash begins
    rb"|\[\^?\]?(?:\\.|[^\]\\])*\]"  # a class
    rb"|\(\?(?:P<\w+>|[aiLmsux-]*[:)]|<?[=!])|\("  # what opens a group, or sets flags
    rb"|\{\d*,?\d*\}\??|[?*+]\??"  # a repetition
    rb"|.",
    re.DOTALL,
)
_REPETITION = re.compile(rb"(?:\{(?P<least>\d+)(?:,\d*)?\}|(?P<sign>[?*+]))\??")
_AROUND = frozenset({b"(?=", b"(?!", b"(?<=", b"(?<!"})


def least(pattern: bytes) -> bytes:
    """A pattern with a match at each beginning of one of ``pattern``, none of them longer.

    What may follow it is left out; a pattern that could then match nothing at all stays as it is.
    """
    tokens = _TOKEN.findall(pattern)
    while tokens:
        begin = _unit(tokens, len(tokens))
        if tokens[begin] in _AROUND:
            del tokens[begin:]
            continue
        end = len(tokens)
        while end and tokens[end - 1] == b")":
            end -= 1
        times = _times(tokens[end - 1]) if end > 1 else None
        if times:
            tokens[end - 1] = b"{%d}" % times
        if times is None or times:
            break
        del tokens[_unit(tokens, end - 1) : end]
    found = b"".join(tokens)
    return pattern if re.match(found, b"") else found


def _times(token: bytes) -> int | None:
    """How often a repetition is needed at least; None for what is no repetition."""
    found = _REPETITION.fullmatch(token)
    return int(found["least"] or found["sign"] == b"+") if found else None


def _unit(tokens: list[bytes], end: int) -> int:
    """Where the token or the group begins that ends right before ``end``."""
    depth, at = 0, end
    while at:
        at -= 1
        depth += (tokens[at] == b")") - (tokens[at][:1] == b"(" and tokens[at][-1:] != b")")
        if not depth:
            break
    return at

"""The parts that a regular expression is written in: just enough to rewrite one for Hyperscan."""

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
_REPETITION = re.compile(rb"(?:\{(?P<least>\d+)(?P<more>,(?P<most>\d*))?\}|(?P<sign>[?*+]))\??")
AROUND = frozenset({b"(?=", b"(?!", b"(?<=", b"(?<!"})
"""What opens a group that matches no byte of its own."""


def tokens_of(pattern: bytes) -> list[bytes]:
    """The pattern's parts in order; put together they are the pattern again."""
    return _TOKEN.findall(pattern)


def least_times(token: bytes) -> int | None:
    """How often a repetition is needed at least; None for what is no repetition."""
    found = _REPETITION.fullmatch(token)
    return int(found["least"] or found["sign"] == b"+") if found else None


def once_less(token: bytes) -> bytes | None:
    """The counted repetition of what has been written out once; None for any other token."""
    found = _REPETITION.fullmatch(token)
    if not found or not int(found["least"] or 0):
        return None
    least = int(found["least"]) - 1
    if not found["more"]:
        return b"{%d}" % least
    return b"{%d,%b}" % (least, b"%d" % (int(found["most"]) - 1) if found["most"] else b"")


def begin_of(tokens: list[bytes], end: int) -> int:
    """Where the token or the group begins that ends right before ``end``."""
    depth, at = 0, end
    while at:
        at -= 1
        depth += (tokens[at] == b")") - opens(tokens[at])
        if not depth:
            break
    return at


def end_of(tokens: list[bytes], begin: int) -> int:
    """Just behind the token or the group that begins at ``begin``."""
    depth, at = 0, begin
    while at < len(tokens):
        depth += opens(tokens[at]) - (tokens[at] == b")")
        at += 1
        if not depth:
            break
    return at


def opens(token: bytes) -> bool:
    """Whether a group begins with it."""
    return token[:1] == b"(" and token[-1:] != b")"

"""Rewrites patterns into a form that Hyperscan looks for quickly.

A pattern in pieces, each of which begins with certain bytes.

Hyperscan looks for literal text, and for the rest of a pattern only where it meets some. A pattern
without any, such as ``[MN][ab][0-9]{40}``, it has to follow through every byte: three rules like it
took a seventh of the time that hundreds took together. As ``Ma[0-9]{40}``, ``Mb[0-9]{40}`` and so
on it costs nothing (<https://www.usenix.org/conference/nsdi19/presentation/wang-xiang>).

The least that a pattern matches: what may be repeated at its end is there as often as it must.

Hyperscan says of a match every place where it could end. One that ends in ``[A-Za-z]{80,300}`` is
met hundreds of times in a long run of letters, and an embedded image or program is one run of a
million. In its least form it is met once for each beginning, at which the whole may be looked for.
"""

from __future__ import annotations

import re

#: So many bytes are certain at the beginning of a piece; Hyperscan does the third by itself.
_CERTAIN = 2
#: Into more pieces than that nothing is taken apart.
_MOST = 16
_PLAIN = frozenset({b"(", b"(?:"})
_TOKEN = re.compile(
    rb"\\x[0-9A-Fa-f]{2}|\\[0-7]{1,3}|\\."  # what a backslash begins
    rb"|\[\^?\]?(?:\\.|[^\]\\])*\]"  # a class
    rb"|\(\?(?:P<\w+>|[aiLmsux-]*[:)]|<?[=!])|\("  # what opens a group, or sets flags
    rb"|\{\d*,?\d*\}\??|[?*+]\??"  # a repetition
    rb"|.",
    re.DOTALL,
)
_BYTE = re.compile(rb"[A-Za-z0-9_:/@=,;<>~'\"!#%& -]|\\[^A-Za-z0-9]|\\[nrt]|\\x..|\[[A-Za-z0-9 ]\]")
_REPETITION = re.compile(rb"(?:\{(?P<least>\d+)(?P<more>,(?P<most>\d*))?\}|(?P<sign>[?*+]))\??")
AROUND = frozenset({b"(?=", b"(?!", b"(?<=", b"(?<!"})
"""What opens a group that matches no byte of its own."""


def least(pattern: bytes) -> bytes:
    """A pattern with a match at each beginning of one of ``pattern``, none of them longer.

    What may follow it is left out; a pattern that could then match nothing at all stays as it is.
    """
    tokens = tokens_of(pattern)
    while tokens:
        begin = begin_of(tokens, len(tokens))
        if tokens[begin] in AROUND:
            del tokens[begin:]
            continue
        end = len(tokens)
        while end and tokens[end - 1] == b")":
            end -= 1
        times = least_times(tokens[end - 1]) if end > 1 else None
        if times:
            tokens[end - 1] = b"{%d}" % times
        if times is None or times:
            break
        del tokens[begin_of(tokens, end - 1) : end]
    found = b"".join(tokens)
    return pattern if re.match(found, b"") else found


def pieces(pattern: bytes) -> list[bytes]:
    """Patterns that match, between them, exactly where ``pattern`` does; often itself alone."""
    if has_text(pattern):
        return [pattern]
    tokens = tokens_of(pattern)
    made = _taken_apart([], tokens, _CERTAIN)
    if made:
        return [b"".join(each) for each in made]
    return _alternatives(tokens) or [pattern]


def has_text(pattern: bytes) -> bool:
    """Whether bytes that are certain follow each other somewhere, in every alternative."""
    return _has_text(tokens_of(pattern))


def _has_text(tokens: list[bytes]) -> bool:
    at = run = 0
    while at < len(tokens) and run < _CERTAIN:
        end = end_of(tokens, at)
        if opens(tokens[at]) and tokens[at] not in AROUND:
            needed = not _repeated(tokens, end) or bool(least_times(tokens[end]))
            if needed and all(map(_has_text, _ways(tokens[at + 1 : end - 1]))):
                return True
            run = 0
        elif tokens[at] not in AROUND:
            run = run + 1 if _byte(tokens[at]) and not _repeated(tokens, end) else 0
        at = end
    return run == _CERTAIN


def _alternatives(tokens: list[bytes]) -> list[bytes]:
    """A pattern for each alternative that it begins with; none where no alternative has text.

    One with text then costs no more than its text, whatever the others begin with.
    """
    at = 0
    while at < len(tokens) and (
        _sets_flags(tokens[at]) or _is_empty(tokens[at : end_of(tokens, at)])
    ):
        at = end_of(tokens, at)
    end = end_of(tokens, at)
    if at == len(tokens) or tokens[at] not in _PLAIN or _repeated(tokens, end):
        return []
    ways = _ways(tokens[at + 1 : end - 1])
    if not any(map(_has_text, ways)):
        return []
    front, rest = b"".join([*tokens[:at], b"(?:"]), b"".join([b")", *tokens[end:]])
    return [piece for way in ways for piece in pieces(front + b"".join(way) + rest)]


def _taken_apart(front: list[bytes], rest: list[bytes], missing: int) -> list[list[bytes]] | None:
    """The pieces of a pattern that is fixed up to ``rest``; None when there is no way to them."""
    if not missing:
        return [front + rest]
    if not rest:
        return None
    end = end_of(rest, 0)
    if _is_empty(rest[:end]):
        return _taken_apart(front + rest[:end], rest[end:], missing)
    if opens(rest[0]):
        if rest[0] not in _PLAIN or _repeated(rest, end):
            return None
        ways = [(front, way + rest[end:], missing) for way in _ways(rest[1 : end - 1])]
    else:
        less = once_less(rest[1]) if _repeated(rest, 1) else b""
        if less is None:
            return None
        behind = rest[2:] if less else rest[1:]
        again = [rest[0], less] if less else []
        ways = [([*front, byte], again + behind, missing - 1) for byte in _bytes(rest[0])]
    return _all(ways)


def _all(ways: list[tuple[list[bytes], list[bytes], int]]) -> list[list[bytes]] | None:
    """The pieces of all ways together; None when one leads nowhere, or they are too many."""
    made: list[list[bytes]] = []
    for front, rest, missing in ways[: _MOST + 1]:
        more = _taken_apart(front, rest, missing)
        if more is None or len(made) + len(more) > _MOST:
            return None
        made += more
    return made or None


def _is_empty(group: list[bytes]) -> bool:
    """Whether it is a group that matches no byte of its own, such as a look at what is in front."""
    if group[0] in AROUND:
        return True
    return group[0] in _PLAIN and all(
        bool(way) and way[0] in AROUND and end_of(way, 0) == len(way) for way in _ways(group[1:-1])
    )


def _sets_flags(token: bytes) -> bool:
    return token == b"^" or (token[:2] == b"(?" and token[-1:] == b")")


def _ways(tokens: list[bytes]) -> list[list[bytes]]:
    """The alternatives in a group's inside."""
    made: list[list[bytes]] = [[]]
    at = 0
    while at < len(tokens):
        end = end_of(tokens, at)
        if tokens[at] == b"|":
            made.append([])
        else:
            made[-1] += tokens[at:end]
        at = end
    return made


def _repeated(tokens: list[bytes], at: int) -> bool:
    return at < len(tokens) and least_times(tokens[at]) is not None


def _byte(token: bytes) -> bool:
    """Whether it is one certain byte."""
    return _BYTE.fullmatch(token) is not None


def _bytes(token: bytes) -> list[bytes]:
    """The bytes that it stands for, written so that they stand for themselves; none if too many."""
    if _byte(token):
        return [token]
    if token[:1] != b"[":
        return []
    return [b"\\x%02x" % each for each in range(256) if re.fullmatch(token, bytes([each]))]


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

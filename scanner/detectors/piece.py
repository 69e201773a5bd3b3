"""A pattern in pieces, each of which begins with certain bytes.

Hyperscan looks for literal text, and for the rest of a pattern only where it meets some. A pattern
without any, such as ``[MN][ab][0-9]{40}``, it has to follow through every byte: three rules like it
took a seventh of the time that hundreds took together. As ``Ma[0-9]{40}``, ``Mb[0-9]{40}`` and so
on it costs nothing (<https://www.usenix.org/conference/nsdi19/presentation/wang-xiang>).
"""

from __future__ import annotations

import re

from stanch.scanner.detectors.syntax import AROUND, end_of, least_times, once_less, opens, tokens_of

#: So many bytes are certain at the beginning of a piece; Hyperscan does the third by itself.
_CERTAIN = 2
#: Into more pieces than that nothing is taken apart.
_MOST = 16
_PLAIN = frozenset({b"(", b"(?:"})


def pieces(pattern: bytes) -> list[bytes]:
    """Patterns that match, between them, exactly where ``pattern`` does; often itself alone."""
    tokens = tokens_of(pattern)
    if _has_text(tokens):
        return [pattern]
    made = _taken_apart([], tokens, _CERTAIN)
    return [b"".join(each) for each in made] if made else [pattern]


def _has_text(tokens: list[bytes]) -> bool:
    """Whether bytes that are certain follow each other anywhere."""
    at = run = 0
    while at < len(tokens) and run < _CERTAIN:
        if tokens[at] in AROUND:
            at = end_of(tokens, at)
            continue
        at += 1
        run = run + 1 if _byte(tokens[at - 1]) and not _repeated(tokens, at) else 0
    return run == _CERTAIN


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
    return re.fullmatch(rb"[A-Za-z0-9_:/@=,;<>'\" -]|\\[^A-Za-z0-9]", token) is not None


def _bytes(token: bytes) -> list[bytes]:
    """The bytes that it stands for, written so that they stand for themselves; none if too many."""
    if _byte(token):
        return [token]
    if token[:1] != b"[":
        return []
    return [b"\\x%02x" % each for each in range(256) if re.fullmatch(token, bytes([each]))]

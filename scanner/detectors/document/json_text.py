"""JSON, leniently: also with comments and trailing commas, cut off, or inside another string.

Nothing recurses and every byte is read once, so that hostile text costs no more than other text.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.node import Items, Mapping, Node, Scalar, unescaped
from stanch.scanner.detectors.text.regex_cache import regex

#: How deep strings within strings are read: `"` and `\"`.
_QUOTES = (rb"\"", rb"\\\"")
_SPACE = rb"(?:\s|\\[nrt]|//[^\n]*|/\*[^*]*+\*/|(?<=\s)\#[^\n]*)*"


def _token(depth: int) -> re.Pattern[bytes]:
    quote = _QUOTES[depth]
    other = rb"\\." if not depth else rb"(?:\\\\(?:\\\\|\\\"|[^\\\"])|\\[^\\\"])"
    inner = rb"[^\"\\]*+(?:%b[^\"\\]*+)*+" % other
    string = rb"%b(?P<string>%b)(?P<shut>%b)?|'(?P<single>[^'\n]*)'" % (quote, inner, quote)
    bare = rb"(?P<bare>[^\s,:{}\[\]\"'\\]+)"
    return regex(_SPACE + rb"(?:(?P<sign>[{}\[\],:])|%b|%b)" % (string, bare), re.DOTALL)


_TOKENS = tuple(_token(depth) for depth in range(len(_QUOTES)))


class Found(NamedTuple):
    """A mapping with the key that was looked for; ``start`` is where its brace stands."""

    mapping: Mapping
    start: int


def around(data: bytes, place: int, budget: Budget) -> Found | None:
    """The object to which the key at ``place`` belongs; ``place`` is behind the key's quote.

    The nearest brace in front is tried first: what closes earlier is a neighbour.
    """
    depth = 1 if data[place - 2 : place] == b'\\"' else 0
    start = data.rfind(b"{", 0, place)
    while start >= 0 and not budget.spent:
        found = _Reader(data, place, budget, depth).read(start)
        if found is not None:
            return found
        start = data.rfind(b"{", 0, start)
    return None


class _Reader:
    """Reads one object, until it has seen that the key is not in it, or all of what it is in."""

    def __init__(self, data: bytes, place: int, budget: Budget, depth: int) -> None:
        self._data = data
        self._place = place
        self._budget = budget
        self._depth = depth
        self._open: list[Mapping | Items] = []
        self._starts: list[int] = []
        self._keys: list[bytes | None] = []
        self._found: Found | None = None

    def read(self, start: int) -> Found | None:
        """The mapping in the object at ``start`` that has the key."""
        match = _TOKENS[self._depth].match
        at = start
        while (token := match(self._data, at)) and self._budget.spend():
            if token["string"] is not None and not token["shut"]:
                break  # cut off within a string
            at = token.end()
            self._take(token)
            if not self._open or (self._found is None and at > self._place + 1):
                break
            if self._found is not None and self._found.mapping not in self._open:
                break  # it is read, and what is around it says nothing
        return self._found

    def _take(self, token: re.Match[bytes]) -> None:
        sign = token["sign"]
        if sign is None:
            self._value(token)
        elif sign == b"{":
            self._begin(Mapping(), token.start("sign"))
        elif sign == b"[":
            self._begin(Items(), token.start("sign"))
        elif sign in b"}]" and self._open:
            self._open.pop()
            self._starts.pop()
            self._keys.pop()
        elif sign == b"," and self._keys:
            self._keys[-1] = None

    def _begin(self, node: Mapping | Items, start: int) -> None:
        self._put(node)
        self._open.append(node)
        self._starts.append(start)
        self._keys.append(None)

    def _value(self, token: re.Match[bytes]) -> None:
        if not self._open:
            return
        holder = self._open[-1]
        kind = token.lastgroup if token.lastgroup != "shut" else "string"
        start, end = token.span(kind or "bare")
        style = {"string": b'"', "single": b"'"}.get(kind or "", b"")
        if isinstance(holder, Mapping) and self._keys[-1] is None:
            if start == self._place:
                self._found = Found(holder, self._starts[-1])
            text = self._data[start:end]
            for _ in range(self._depth + (style == b'"')):
                text = unescaped(text)
            self._keys[-1] = text
        else:
            self._put(Scalar(self._data, start, end, style, self._depth))

    def _put(self, node: Node) -> None:
        if not self._open:
            return
        holder = self._open[-1]
        if isinstance(holder, Items):
            holder.items.append(node)
        elif self._keys[-1] is not None:
            holder.items.append((self._keys[-1], node))
            self._keys[-1] = None

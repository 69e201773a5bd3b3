"""A stretch of a content that is worth looking at, with as much around it as judging it needs.

Histories have very many of them, and most hold nothing: making one costs next to nothing, and only
:meth:`Hunk.fragment` counts lines.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import Provenance

CONTEXT = 512
"""Bytes around the stretch in which a secret that reaches into it may begin, and then up to the
border of the line: what stands on one line is never cut."""

MARGIN = 512
"""Bytes beyond, again up to the border of the line, which are only there to be looked at."""

_DOCUMENTS = (
    (b"kind", b": Secret", b':"Secret"', b': "Secret"'),
    (b"kty", b'"kty"', b"kty:", b'kty\\"'),
    (b"service_account", b"private_key"),
    (b"refresh_token", b"client_secret"),
    (b'"sensitive"', b'"value"'),
    (b"random_password", b'"result"'),
)
"""What a document holds that makes a value a secret at any distance: the first word of a row and
one of the others."""

_FEED = ord("\n")
_LINE = 4096  # bytes; the border of a longer line is not looked for


class Item(Protocol):
    """What a source reads."""

    @property
    def path(self) -> str:
        """Where it is."""


class Hunk(NamedTuple):
    """Findings that begin in ``whole[first:last]`` count; ``place(item)`` is where they are.

    Of a ``document`` all is looked at, since what makes a value a secret may be far away from it.
    """

    whole: bytes
    first: int
    last: int
    place: Callable[[Any], Provenance]
    item: Item
    document: bool = False

    @property
    def text(self) -> bytes:
        """Where nothing could be found, there is none that counts."""
        return self.whole if self.document else self.whole[self.first : self.last]

    @property
    def whole_lines(self) -> bool:
        """Whether no line is cut."""
        whole, first, last = self.whole, self.first, self.last
        return (not first or whole[first - 1] == _FEED) and (
            last == len(whole) or whole[last - 1] == _FEED
        )

    def fragment(self) -> Fragment:
        """The same with what judging needs around, and with lines and columns in the whole."""
        whole, first, last = self.whole, self.first, self.last
        start, stop = 0, len(whole)
        if not self.document:
            start = _line_start(whole, first - MARGIN) if first > MARGIN else 0
            stop = _line_end(whole, last + MARGIN) if last + MARGIN < len(whole) else stop
        line = whole.count(b"\n", 0, start) + 1
        column = start - whole.rfind(b"\n", 0, start)

        def position(offset: int) -> tuple[int, int]:
            lines = whole.count(b"\n", start, offset)
            if lines:
                return line + lines, offset - whole.rfind(b"\n", start, offset)
            return line, column + offset - start

        return Fragment(
            data=whole[start:stop],
            provenance=self.place(self.item),
            first_line=line,
            first_column=column,
            owned=(position(first), position(last)),
        )


def around(
    whole: bytes, begin: int, end: int, place: Callable[[Any], Provenance], item: Item
) -> Hunk:
    """What has to be looked at to find everything that reaches into ``whole[begin:end]``."""
    first, last = begin - CONTEXT, end + CONTEXT
    return Hunk(
        whole,
        _line_start(whole, first) if first > 0 else 0,
        _line_end(whole, last) if last < len(whole) else len(whole),
        place,
        item,
        _is_document(whole),
    )


def _is_document(data: bytes) -> bool:
    """Whether it has what makes values secrets; a plain search is all that a history can afford."""
    return any(word in data and any(each in data for each in row) for word, *row in _DOCUMENTS)


def _line_start(data: bytes, offset: int) -> int:
    """Where the line of that offset begins; the offset itself when that is far away."""
    least = offset - _LINE
    border = data.rfind(b"\n", max(0, least), offset)
    return border + 1 if border >= 0 or least <= 0 else offset


def _line_end(data: bytes, offset: int) -> int:
    """Behind the line feed of the line of that offset; the offset itself when that is far away."""
    most = offset + _LINE
    border = data.find(b"\n", offset, most)
    if border < 0:
        return len(data) if most >= len(data) else offset
    return border + 1

"""Distinguished encoding rules, as far as key stores need them: X.690 with definite lengths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

SEQUENCE, INTEGER, OCTETS, OBJECT, CONTEXT_0 = 0x30, 0x02, 0x04, 0x06, 0xA0
_LONG = 0x80
_WIDEST = 4  # bytes of a length


class Element(NamedTuple):
    """A tag, and where its content begins and ends."""

    tag: int
    start: int
    end: int


def element(tag: int, *content: bytes) -> bytes:
    """Encodes one element."""
    body = b"".join(content)
    size = len(body)
    if size < _LONG:
        return bytes([tag, size]) + body
    width = (size.bit_length() + 7) // 8
    return bytes([tag, _LONG | width]) + size.to_bytes(width, "big") + body


def element_at(data: bytes, at: int) -> Element:
    """The element that begins at ``at``; ``ValueError`` when it is none or reaches too far."""
    head = data[at : at + 2]
    if len(head) < 2:  # noqa: PLR2004  # a tag and a length
        raise ValueError("cut off")
    tag, size = head
    start = at + 2
    if size >= _LONG:
        width = size & ~_LONG
        if not 0 < width <= _WIDEST:
            raise ValueError("indefinite or absurd length")
        size = int.from_bytes(data[start : start + width], "big")
        start += width
    if start + size > len(data):
        raise ValueError("reaches beyond the end")
    return Element(tag, start, start + size)


def children(data: bytes, parent: Element) -> Iterator[Element]:
    """The elements within ``parent``, in order."""
    at = parent.start
    while at < parent.end:
        child = element_at(data, at)
        yield child
        at = child.end


def content(data: bytes, of: Element) -> bytes:
    """The bytes of an element."""
    return data[of.start : of.end]

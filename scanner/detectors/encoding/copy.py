"""What an encoding is, and a stretch that was read as one."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from stanch.scanner.model.record import Record

_PRINTABLE = bytes(range(0x20, 0x7F)) + b"\t\r\n"


class Copy:
    """``text`` is what ``data[start:end]`` says when it is read as ``encoding``."""

    __slots__ = ("encoding", "end", "start", "text")

    def __init__(self, *, text: bytes, start: int, end: int, encoding: str) -> None:
        self.text = text
        self.start = start
        self.end = end
        self.encoding = encoding


class Encoding(Record):
    """One way to write text so that rules do not recognise it.

    ``mark`` is a pattern that stands wherever it is used: without one nothing is opened. ``copies``
    gives the stretches that decode to text, from where the first mark was found to end.
    """

    mark: bytes
    copies: Callable[[bytes, int], Iterator[Copy]]


def is_text(text: bytes) -> bool:
    """Printable ASCII and white space only."""
    return bool(text) and text.isascii() and not text.translate(None, _PRINTABLE)

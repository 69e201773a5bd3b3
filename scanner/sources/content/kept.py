"""Reading so that what came before a break is kept: it may hold what somebody looks for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

_PIECE = 64 << 10  # bytes that a stream may lose with an error of its own


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; nothing at the end."""


def kept(stream: _Stream) -> Callable[[int], bytes]:
    """A reader that gives what there is before it raises what the stream has raised, for good."""
    some: Callable[[int], bytes] = getattr(stream, "read1", stream.read)
    broken: list[Exception] = []

    def read(size: int) -> bytes:
        if broken:
            raise broken[0]
        first = some(min(size, _PIECE))
        left = size - len(first)
        if not left or not first:
            return first
        pieces = [first]
        try:
            while left and (piece := some(min(left, _PIECE))):
                pieces.append(piece)
                left -= len(piece)
        except Exception as error:  # noqa: BLE001  # raised by the next call
            broken.append(error)
        return b"".join(pieces)

    return read

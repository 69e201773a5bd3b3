"""What msgspec knows of a type, worked out before any thread needs it."""

from __future__ import annotations

from typing import TypeVar

import msgspec

Type = TypeVar("Type")


def resolved(kind: Type) -> Type:
    """The type, ready to be read by several threads.

    msgspec looks at a type when it is first read, and shows other threads what it has of it while
    it still looks: two workers that begin at once then end the process (msgspec 0.22). Call this
    where a module is loaded, for every type that is read later.
    """
    msgspec.json.Decoder(kind)
    return kind

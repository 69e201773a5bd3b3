"""How much a JSON text would take in memory, before it is taken apart."""

from __future__ import annotations

_SIGNS = (b",", b"[", b"{")


def values(data: bytes) -> int:
    """At most how many values it has; each takes some fifty to a hundred bytes."""
    return sum(data.count(sign) for sign in _SIGNS)

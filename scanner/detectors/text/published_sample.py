"""Samples that providers print in their documentation: everybody copies them, nothing opens.

``published.txt`` has them by the page that shows them, without their prefixes and in pieces where
there are signs between: people alter a prefix or a sign, and a sample stays a sample.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

#: Of what is a sample, at least this part is one: a document that quotes it may hold others.
_SHARE = 2
_HEAD = 6  # bytes; every sample is longer
_LONG = 100  # bytes, in which looking for every sample is as fast


def is_published(value: bytes) -> bool:
    """Whether at least half of ``value`` stands in somebody's documentation."""
    pieces, heads = _pieces()
    short = len(value) <= _LONG
    if short and not any(value[at : at + _HEAD] in heads for at in range(len(value) - _HEAD + 1)):
        return False
    known = sum(len(piece) for piece in pieces if piece in value)
    return known * _SHARE >= len(value) > 0


@cache
def _pieces() -> tuple[tuple[bytes, ...], frozenset[bytes]]:
    """All of them, and how they begin: most values hold no such beginning."""
    lines = Path(__file__).with_name("published_sample.txt").read_bytes().splitlines()
    pieces = tuple(line.strip() for line in lines if line.startswith(b" "))
    return pieces, frozenset(piece[:_HEAD] for piece in pieces)

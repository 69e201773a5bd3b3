"""What somebody who mistyped a name probably meant."""

from __future__ import annotations

from collections.abc import Iterable

_FEW = 16


def nearest(word: str, known: Iterable[str], *, otherwise: str = "") -> str:
    """The remedy for an unknown name: the names that it is like, else a few of those there are."""
    from difflib import get_close_matches  # noqa: PLC0415  # for mistakes only, hooks start quickly

    names = [str(name) for name in known]
    like = get_close_matches(word, names, cutoff=0.7) or get_close_matches(word, names, 1, 0.4)
    if like:
        return f"did you mean {' or '.join(f'`{name}`' for name in like)}?"
    return otherwise or f"use one of: {', '.join(names[:_FEW])}{', …' * (len(names) > _FEW)}"

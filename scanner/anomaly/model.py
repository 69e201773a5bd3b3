"""A character model: how many bits a token's characters cost someone who knows this kind of place.

Interpolated trigrams. A kind of file refines what all files together teach, which refines bigrams,
which refine single characters, so a kind with few tokens is judged by its neighbours' habits.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable

KNOWN = 48
"""Characters of a token that are learned and judged; a longer one is random from the start."""

_TRUST = 6.0  # observations after which a context's own counts outweigh the coarser model
_SYMBOLS = 66  # letters, digits and four marks
_EDGE = b"  "


class Characters:
    """Counts of trigrams, bigrams and characters over a set of tokens."""

    __slots__ = ("_pair", "pairs", "pairs_before", "singles", "total", "triples", "triples_before")

    def __init__(self, tokens: Iterable[bytes]) -> None:
        self.triples: Counter[tuple[int, int, int]] = Counter()
        for token in tokens:
            padded = _EDGE + token[:KNOWN]
            self.triples.update(zip(padded, padded[1:], padded[2:], strict=False))
        self.triples_before: Counter[tuple[int, int]] = Counter()
        self.pairs: Counter[tuple[int, int]] = Counter()
        for (first, second, third), count in self.triples.items():
            self.triples_before[first, second] += count
            self.pairs[second, third] += count
        self.pairs_before: Counter[int] = Counter()
        self.singles: Counter[int] = Counter()
        for (second, third), count in self.pairs.items():
            self.pairs_before[second] += count
            self.singles[third] += count
        self.total = self.singles.total()
        self._pair: dict[tuple[int, int], float] = {}

    def chance(self, triple: tuple[int, int, int]) -> float:
        """The probability of the third character after the first two; never zero."""
        before = triple[:2]
        pair = triple[1:]
        known = self._pair.get(pair)
        if known is None:
            known = self._pair[pair] = self._pair_chance(*pair)
        return (self.triples.get(triple, 0) + _TRUST * known) / (
            self.triples_before.get(before, 0) + _TRUST
        )

    def _pair_chance(self, second: int, third: int) -> float:
        single = (self.singles[third] + 1) / (self.total + _SYMBOLS)
        return (self.pairs[second, third] + _TRUST * single) / (self.pairs_before[second] + _TRUST)


class Costs(dict[tuple[int, int, int], float]):
    """Bits for each trigram in one kind of place, worked out on demand."""

    __slots__ = ("_wide", "own")

    def __init__(self, own: Characters, wide: Characters) -> None:
        super().__init__()
        self.own = own
        self._wide = wide

    def __missing__(self, triple: tuple[int, int, int]) -> float:
        before = self.own.triples_before[triple[0], triple[1]]
        chance = (self.own.triples[triple] + _TRUST * self._wide.chance(triple)) / (before + _TRUST)
        bits = self[triple] = -math.log2(chance)
        return bits

    def surprise(self, token: bytes) -> float:
        """Bits for each character of the token, over its first :data:`KNOWN`."""
        padded = _EDGE + token[:KNOWN]
        return sum(map(self.__getitem__, zip(padded, padded[1:], padded[2:], strict=False))) / (
            len(padded) - len(_EDGE)
        )

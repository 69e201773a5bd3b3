"""A stream in a few numbers: how many strings look machine-made, and how varied those are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping
from itertools import accumulate, islice
from typing import Any, NamedTuple

from stanch.scanner.model.entropy import entropy

QUANTILES = (0.1, 0.5, 0.9)
_BIN = 0.125  # bits
_RUN = re.compile(rb"[A-Za-z0-9+/_-]{60,}={0,2}")  # as long as programs wrap it
_MOST = 4096  # tokens of one fragment whose entropy is worked out


class Reading(NamedTuple):
    """One scan of one stream: counts and quantiles, nothing that was in it.

    ``entropy`` holds the quantiles of the suspicious strings' Shannon entropy in bits a character,
    and is empty when there were none.
    """

    size: int  # bytes
    suspicious: int
    entropy: tuple[float, ...]
    encoded: int | None = None  # bytes in runs of base64 or hex; None where nobody has counted

    @property
    def share(self) -> float | None:
        """Which part of the text is encoded."""
        return None if self.encoded is None or not self.size else self.encoded / self.size

    @property
    def rate(self) -> float:
        """Suspicious strings in a KB (1,000 bytes)."""
        return 1000 * self.suspicious / self.size if self.size else 0.0


class Measure:
    """Sums up fragments; what it keeps is a histogram, so memory stays flat."""

    def __init__(self) -> None:
        self._size = 0
        self._suspicious = 0
        self._encoded = 0
        self._bins: Counter[int] = Counter()

    def count(self, data: bytes, found: Collection[bytes]) -> None:
        """Count a fragment in which these machine-made tokens were found."""
        self._size += len(data)
        self._encoded += sum(map(len, _RUN.findall(data)))
        self._suspicious += len(found)
        self._bins.update(int(entropy(token) / _BIN) for token in islice(found, _MOST))

    def held(self) -> dict[str, Any]:
        """All that was counted, for :meth:`add` of another one."""
        return {
            "size": self._size,
            "suspicious": self._suspicious,
            "encoded": self._encoded,
            "bins": sorted(self._bins.items()),
        }

    def add(self, held: Mapping[str, Any]) -> None:
        """What another one has counted."""
        self._size += int(held["size"])
        self._suspicious += int(held["suspicious"])
        self._encoded += int(held["encoded"])
        for name, count in held["bins"]:
            self._bins[int(name)] += int(count)

    def reading(self) -> Reading:
        """What has been counted so far."""
        return Reading(
            size=self._size,
            suspicious=self._suspicious,
            entropy=self._quantiles(),
            encoded=self._encoded,
        )

    def _quantiles(self) -> tuple[float, ...]:
        total = self._bins.total()
        if not total:
            return ()
        bins = sorted(self._bins)
        sums = list(accumulate(self._bins[each] for each in bins))
        return tuple(
            next(
                (each + 0.5) * _BIN
                for each, upto in zip(bins, sums, strict=True)
                if upto >= share * total
            )
            for share in QUANTILES
        )

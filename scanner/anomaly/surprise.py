"""Robust statistics: how far a value is from what is usual, and what that is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median

from stanch.scanner.model.finding import Confidence
from stanch.scanner.model.record import Record

_NORMAL = 1.4826  # makes a MAD comparable to a standard deviation
_FLOOR = 0.5  # bits a character; calmer places would call every new word a surprise
_RARE = 3.5  # deviations
_MEDIUM = 1.5  # bits a character
_LOW = 1.0
_COMPANY = 0.75  # bits a character
_COMMON = 5  # files


class Usual(Record):
    """Median and scaled median absolute deviation of ``size`` values: outliers hardly move them."""

    middle: float
    spread: float
    size: int

    @classmethod
    def of(cls, values: Sequence[float]) -> Usual:
        """What is usual among at least one value."""
        middle = median(values)
        spread = _NORMAL * median(abs(value - middle) for value in values)
        return cls(middle=middle, spread=spread, size=len(values))

    def deviations(self, value: float, *, floor: float) -> float:
        """How many spreads (at least ``floor`` wide) the value lies above the middle."""
        return (value - self.middle) / max(self.spread, floor)


class Surprise(Record):
    """Why a string does not belong: the numbers behind a judgement, in bits a character.

    ``gain`` is what "drawn at random" explains better than the habits of the place; ``usual`` is
    the same over the place's tokens, ``company`` counts the machine-made tokens in the file, and
    ``copies`` the files that hold this one.
    """

    place: str
    alphabet: str
    length: int
    bits: float
    gain: float
    usual: Usual
    company: int
    copies: int
    digest: bool

    @property
    def deviations(self) -> float:
        """How far above the usual it lies, robustly."""
        return self.usual.deviations(self.gain, floor=_FLOOR)

    @property
    def score(self) -> float:
        """Bits a character that remain once its company is accounted for.

        A little less for every doubling: one stranger is news, the hundredth is how this file is.
        """
        return self.gain - _COMPANY * math.log2(self.company)

    @property
    def confidence(self) -> Confidence | None:
        """How much it is worth; None when it is normal here. A digest's form is never above low.

        What stands in many files is a part of them all.
        """
        if self.copies >= _COMMON or self.deviations < _RARE or self.score < _LOW:
            return None
        return Confidence.LOW if self.digest or self.score < _MEDIUM else Confidence.MEDIUM

    @property
    def reason(self) -> str:
        """The evidence in one line, with nothing of the value."""
        return (
            f"{self.length} {self.alphabet} characters cost {self.bits:.1f} bits each here, "
            f"{self.deviations:.1f} deviations above what is usual in {self.place} files "
            f"({self.usual.size} compared, {self.company} alike in this file)"
        )

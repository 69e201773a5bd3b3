"""How varied a text is."""

from __future__ import annotations

import math
from collections import Counter


def entropy(value: bytes) -> float:
    """Shannon entropy in bits a byte; 0 for nothing."""
    size = len(value)
    return -sum(n / size * math.log2(n / size) for n in Counter(value).values())

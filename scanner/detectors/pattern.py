"""Rule patterns as ``re`` sees them: compiled once, on first use, and measured."""

from __future__ import annotations

import importlib
import re
from functools import cache

from scanner.model.error import RuleError

#: No pattern may match more than this many bytes, so that confirming stays within bounds.
WIDEST = 1 << 15


@cache
def compiled(pattern: str) -> re.Pattern[bytes]:
    """``pattern`` for bytes. Rules are ASCII, hence case-insensitivity is ASCII too."""
    return re.compile(pattern.encode("ascii"))


@cache
def width_of(pattern: str) -> int:
    """The most bytes that ``pattern`` can match; an error when it has no bound."""
    # The standard library has no public way to ask a pattern for its width.
    widest: int = importlib.import_module("re._parser").parse(pattern.encode("ascii")).getwidth()[1]
    if widest > WIDEST:
        raise RuleError(
            f"the pattern can match more than {WIDEST} bytes",
            remedy="give every repetition an upper bound, e.g. {20,300} instead of +",
        )
    return widest

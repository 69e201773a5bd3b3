"""Text for people: cleaned, bounded, masked; instants and durations as one reads them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

# The evidence of a step is masked where it is made; a second look costs nothing here.
_KEY_ID = re.compile(r"(?<![A-Z0-9])(A[KS]IA)[A-Z0-9]{8,}([A-Z0-9]{4})(?![A-Z0-9])")
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
TEXT_LIMIT = 240


def clean(text: str, limit: int = TEXT_LIMIT) -> str:
    """One visible line of at most about ``limit`` characters.

    What cannot be seen is spelled out, because it could hide or reorder what the reader sees
    (https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing); key ids are masked.
    """
    # The mask runs before the cut, so that no cut can hide a key id's end from the pattern.
    rest = max(0, len(text) - 4 * limit)
    masked = _KEY_ID.sub(r"\1…\2", text[: 4 * limit])
    shown = "".join(map(_visible, masked[:limit]))
    rest += len(masked) - min(len(masked), limit)
    return f"{shown}… ({rest} more characters)" if rest else shown


def _visible(char: str) -> str:
    # Not printable: control, format (bidi, zero width), surrogate, private use, unassigned.
    if char.isprintable():
        return char
    return " " if char.isspace() else f"\\u{{{ord(char):x}}}"


def aware(at: datetime) -> datetime:
    """The same instant in UTC; an instant without a zone is taken to be UTC."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def instant(at: datetime) -> str:
    """``2026-11-21 14:03:07.214``: UTC, to the millisecond, without the zone's name."""
    return f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d}"


def span(took: timedelta) -> str:
    """A duration in at most two units: ``0.42 s``, ``12.3 s``, ``4 min 12 s``, ``3 d 4 h``."""
    seconds = took.total_seconds()
    if seconds < 0:
        return "\N{MINUS SIGN}" + span(-took)
    if seconds < 1:
        return f"{seconds:.2f} s" if seconds else "0 s"
    if seconds < _MINUTE - 0.05:
        return f"{seconds:.1f}".removesuffix(".0") + " s"
    whole = round(seconds)
    if whole < _HOUR:
        return _pair(whole, _MINUTE, "min", 1, "s")
    if whole < _DAY:
        return _pair(whole, _HOUR, "h", _MINUTE, "min")
    return _pair(whole, _DAY, "d", _HOUR, "h")


def _pair(whole: int, big: int, big_name: str, small: int, small_name: str) -> str:
    rest = whole % big // small
    return f"{whole // big} {big_name}" + (f" {rest} {small_name}" if rest else "")


def since(at: datetime, origin: datetime) -> str:
    """``+2.1 s`` or, with a true minus sign, ``-3 d 4 h``: an instant relative to ``origin``."""
    took = at - origin
    return span(took) if took < timedelta(0) else f"+{span(took)}"


def plural(count: int, noun: str) -> str:
    """``1 call``, ``2 calls``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

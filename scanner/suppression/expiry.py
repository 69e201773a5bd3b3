"""Until when a waiver counts: a day, or ``never`` said in so many words."""

from __future__ import annotations

import re
from datetime import date, timedelta

from stanch.scanner.model.error import UsageError

_DAYS = re.compile(r"(\d{1,4})d")


def expiry(text: str, *, today: date) -> date | None:
    """``2027-01-31`` (the last day), ``90d`` (from today) or ``never`` (None)."""
    if text == "never":
        return None
    if days := _DAYS.fullmatch(text):
        return today + timedelta(days=int(days[1]))
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            "the expiry is not a day", remedy="write it as 2027-01-31, as 90d, or as `never`"
        ) from error
    if day < today:
        raise UsageError("the expiry lies in the past", remedy="name a day to come, or `never`")
    return day

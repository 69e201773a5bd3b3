"""The time that evidence is about."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from stanch.responder.domain.error import UsageError
from stanch.responder.domain.json import JsonObject

_DAYS = re.compile(r"([1-9][0-9]{0,3})d\Z")
_PART = re.compile(r"(\d{4})(?:-(?:Q([1-4])|(0[1-9]|1[0-2])))?\Z")
_RANGE = re.compile(r"(\d{4}-\d\d-\d\d)\.\.(\d{4}-\d\d-\d\d)\Z")
_YEAR, _QUARTER = 12, 3  # months


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From ``begin`` to just before ``end``."""

    begin: datetime
    end: datetime

    @property
    def words(self) -> JsonObject:
        """As JSON."""
        return {"begin": self.begin.isoformat(), "end": self.end.isoformat()}


def parse_period(text: str, now: datetime) -> Period:
    """``2026``, ``2026-Q4``, ``2026-11``, ``2026-11-01..2026-11-15`` or ``90d``. UsageError."""
    try:
        period = _parsed(text, now)
    except (ValueError, OverflowError):
        period = None
    if period is None or period.begin >= period.end:
        raise UsageError(
            f"{text!r} is no period",
            remedy="write 2026, 2026-Q4, 2026-11, 2026-11-01..2026-11-15 or 90d",
        )
    return period


def _parsed(text: str, now: datetime) -> Period | None:
    if found := _DAYS.match(text):
        return Period(begin=now - timedelta(days=int(found[1])), end=now)
    if found := _RANGE.match(text):
        first, last = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in found.groups())
        return Period(begin=first, end=last + timedelta(days=1))
    found = _PART.match(text)
    if found is None:
        return None
    year, quarter, month = int(found[1]), found[2], found[3]
    first_month = (int(quarter) - 1) * _QUARTER if quarter else int(month) - 1 if month else 0
    months = _QUARTER if quarter else 1 if month else _YEAR
    return Period(begin=_month(year, first_month), end=_month(year, first_month + months))


def _month(year: int, months: int) -> datetime:
    return datetime(year + months // _YEAR, months % _YEAR + 1, 1, tzinfo=UTC)

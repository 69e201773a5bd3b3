"""Two clocks: how far one of them is off, as far as a look can tell."""

from __future__ import annotations

from datetime import datetime, timedelta

from stanch.responder.domain.check import Check, State

# AWS refuses signatures that are five minutes off; windows of activity bear much less.
BEARABLE = timedelta(seconds=5)
_MINUTES = 120  # seconds from which on a span is told in minutes


def skew(
    area: str,
    whose: str,
    theirs: datetime,
    between: tuple[datetime, datetime],
    step: timedelta = timedelta(),
) -> Check:
    """A clock that was read between two looks at ours; ``step`` is how coarse it is."""
    first, last = between
    off = max(first - theirs - step, theirs - last, timedelta())
    if off <= BEARABLE:
        said = f"{whose} agrees with this machine's within {BEARABLE.seconds} s"
        return Check(State.GOOD, area, said)
    return Check(
        State.WRONG,
        area,
        f"{whose} is {rounded(off)} {'behind' if theirs < first else 'ahead of'} this machine's",
        "let both machines take their time by NTP (chrony, systemd-timesyncd)",
    )


def rounded(span: timedelta) -> str:
    """A span as people say it."""
    seconds = max(0, int(span.total_seconds()))
    return f"{seconds} s" if seconds < _MINUTES else f"{seconds // 60} min"

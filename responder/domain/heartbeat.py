"""A worker's sign of life, in the store where everybody can see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

EVERY = timedelta(seconds=10)
SILENT = timedelta(seconds=45)  # without one for so long, a worker is taken for dead or hung
FORGOTTEN = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """``broker`` is whether the worker reaches it; it works without one too."""

    name: str
    lane: str
    version: str
    broker: bool
    started_at: datetime
    seen_at: datetime

    def alive(self, now: datetime) -> bool:
        """Whether it was heard of lately."""
        return now - self.seen_at < SILENT

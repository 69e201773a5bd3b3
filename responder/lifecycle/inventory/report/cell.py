"""The cells of a row, the same in every report."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from stanch.responder.lifecycle.inventory.row import Row


def days(length: timedelta) -> str:
    """``41d``, or ``5h`` below two days."""
    if length < timedelta():
        return "future"
    return f"{length.days}d" if length.days > 1 else f"{int(length.total_seconds()) // 3600}h"


def day(at: datetime | None) -> str:
    """``2026-11-30``; empty when it is not known."""
    return f"{at:%Y-%m-%d}" if at is not None else ""


def _of(key: str) -> Callable[[Row], str]:
    return lambda row: row.known.get(key, "")


COLUMNS: Mapping[str, Callable[[Row], str]] = MappingProxyType(
    {
        "state": lambda row: str(row.state),
        "secret": lambda row: row.name,
        "owner": _of("owner"),
        "storage": lambda row: row.source,
        "place": lambda row: row.place,
        "service": lambda row: (
            row.reference.service if row.reference else row.known.get("service", "")
        ),
        "environment": lambda row: (
            str(row.reference.environment) if row.reference else row.known.get("environment", "")
        ),
        "tenant": _of("tenant"),
        "classification": _of("data-classification"),
        "kind": _of("kind"),
        "rotation_period": _of("rotation-period"),
        "last_rotated": _of("last-rotated"),
        "age": lambda row: days(row.age) if row.age is not None else "",
        "due": lambda row: day(row.due_at),
        "last_used": lambda row: day(row.used_at),
        "consumers": lambda row: "; ".join(row.consumers) if row.consumers is not None else "",
        "problem": lambda row: row.problem,
    }
)

"""What one git may take of memory and time."""

from __future__ import annotations

from stanch.scanner.model.record import Record


class Bounds(Record):
    """What one git may take. ``data`` counts memory of its own, not files that it maps.

    ``patience`` is how many seconds it may say nothing while somebody waits for it.
    """

    data: int = 1 << 30
    seconds: int = 3600
    patience: float = 300.0


SCAN = Bounds()
"""For the largest histories there are."""

COMPARISON = 400 << 20
"""Memory for comparing trees: git holds all that a commit changes, here a million paths."""

CHANGE = Bounds(data=512 << 20, seconds=120, patience=120.0)
"""For what somebody waits for: a commit, a push, a pull request."""

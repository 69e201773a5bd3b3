"""What the house promises for a public leak, counted from detection: docs/architecture.md."""

from __future__ import annotations

from datetime import timedelta

REQUESTED = timedelta(seconds=10)  # every containing call was answered
VERIFIED = timedelta(seconds=30)  # a fresh look was refused

"""How long a step asks to wait before it looks again."""

from __future__ import annotations

from datetime import timedelta

# IAM settles within seconds; two looks a second are far below its limits.
SOON = timedelta(milliseconds=400)

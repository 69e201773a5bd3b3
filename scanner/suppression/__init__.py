"""Hides findings with a recorded reason: a baseline that survives, and markers next to a value."""

BASELINE_NAME = ".stanch-baseline"

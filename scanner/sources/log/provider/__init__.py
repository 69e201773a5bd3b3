"""Who keeps logs: one file for each interface."""

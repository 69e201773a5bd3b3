"""Logs that cannot leak."""

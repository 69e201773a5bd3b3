"""Runs a source through the engine."""

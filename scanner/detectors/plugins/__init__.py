"""Detectors of other projects behind our own port."""

"""Finds leaked credentials in code, history and streams. Knows nothing of incidents."""

__version__ = "0.1.0"  # the one place; asking the installed package takes 40 ms

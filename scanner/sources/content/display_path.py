"""Paths as people and JSON may see them."""

from __future__ import annotations

import os


def display(path: str | bytes) -> str:
    r"""A path as valid Unicode with forward slashes; bytes that are not UTF-8 become ``\xNN``."""
    if isinstance(path, str) and path.isascii():
        return path
    return os.fsencode(path).decode("utf-8", "backslashreplace")

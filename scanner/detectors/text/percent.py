"""Percent escapes."""

from __future__ import annotations

import re

from stanch.scanner.detectors.text.regex_cache import regex

_PERCENT = regex(rb"%([0-9A-Fa-f]{2})")


def unquoted(value: bytes) -> bytes:
    """``value`` without percent escapes. The standard library's twin loads slowly."""
    return _PERCENT.sub(character, value)


def character(escape: re.Match[bytes]) -> bytes:
    """The byte that the first group of a match writes in hexadecimal digits."""
    return bytes.fromhex(escape[1].decode("ascii"))

"""A name and its value as two members of one object, in any order and at any distance."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.held import Held, held
from stanch.scanner.detectors.document.json_text import Found

_NAMES = (b"name", b"key", b"Name", b"Key", b"header")
_VALUES = (b"value", b"Value")


def name_and_value(_data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """The value, by the name beside it."""
    name, value = found.mapping.text(*_NAMES), found.mapping.scalar(*_VALUES)
    if name and value is not None:
        yield held(value, name)

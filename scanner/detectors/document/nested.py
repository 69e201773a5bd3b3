r"""A secret's name whose value is a document again: ``"ApiToken": "{\"value\": …}"``."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.held import Held, held
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.text.regex_cache import regex

_OWNER = regex(rb"([\w.-]{1,120})\"\s{0,8}:\s{0,8}\"\Z")
_FRONT = 160
#: What says nothing but "here it is"; any other name speaks for itself.
_VALUES = (b"value", b"key", b"data", b"val")


def inner_value(data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """The value in a string that is an object, by the name of the string."""
    owner = _OWNER.search(data, max(0, found.start - _FRONT), max(0, found.start))
    value = found.mapping.scalar(*_VALUES)
    if owner and value is not None:
        yield held(value, owner[1])

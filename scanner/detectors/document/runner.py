"""What the runner of a build keeps in memory: every variable with its value, secrets marked."""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.held import Held, held
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.text.regex_cache import regex

_NAME = regex(rb"\"([\w.-]{1,120})\\?\"\s{0,4}:\s{0,4}\Z")
_FRONT = 140


def secret_variable(data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """``"NAME":{"value":"…","isSecret":true}``, which is how attacks on workflows dump them."""
    value = found.mapping.scalar(b"value")
    if value is None or not value.text or found.mapping.text(b"isSecret") != b"true":
        return
    name = _NAME.search(data, max(0, found.start - _FRONT), max(0, found.start))
    yield held(value, name[1] if name else b"")

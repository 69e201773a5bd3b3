"""Cookies that log somebody in, as recordings and browsers' states keep them.

HAR files and the saved states of Playwright and Puppeteer hold objects with a name, a value and
flags. What scripts of a page may not read is worth something; of those, what names a session.
"""

from __future__ import annotations

from collections.abc import Iterator

from stanch.scanner.detectors.document.budget import Budget
from stanch.scanner.detectors.document.held import Held, held
from stanch.scanner.detectors.document.json_text import Found
from stanch.scanner.detectors.text.regex_cache import regex

_LOGS_IN = regex(
    rb"(?i)sess|(?:\A|[_.-])sid(?:\Z|[_.-])|auth|token|jwt|login|remember|sso|identity|connect\.sid"
)
_FORGERY = regex(rb"(?i)c?srf|xsrf|antiforgery")


def session(_data: bytes, found: Found, _budget: Budget) -> Iterator[Held]:
    """The value of a cookie that scripts may not read and that is called as sessions are."""
    name, value = found.mapping.text(b"name"), found.mapping.scalar(b"value")
    if value is not None and _LOGS_IN.search(name) and not _FORGERY.search(name):
        yield held(value, b"session")

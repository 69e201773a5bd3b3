"""Colours in logs: an escape sequence ends in a letter, which is no part of the token behind it."""

from __future__ import annotations

import re

from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.record import replace

#: What a fragment with colours has; the prefilter looks for it.
MARK = rb"\x1b\["
_SEQUENCE = regex(rb"\x1b\[[0-9;:?]{0,24}[A-Za-z]")


def uncoloured(fragment: Fragment) -> Fragment:
    """The fragment with spaces where sequences were, so that every place stays where it is."""
    return replace(fragment, data=_SEQUENCE.sub(_blank, fragment.data))


def _blank(sequence: re.Match[bytes]) -> bytes:
    return b" " * len(sequence[0])

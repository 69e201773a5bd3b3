"""What a registry asks for before it answers: ``WWW-Authenticate``, which may hold several."""

from __future__ import annotations

import re
from collections.abc import Iterator

from stanch.scanner.model.record import Record

_SCHEME = re.compile(r"\s*,?\s*([A-Za-z][\w-]*)(?:\s+|\s*\Z|\s*(?=,))")
_PARAMETER = re.compile(r"\s*,?\s*([A-Za-z][\w-]*)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*))")
_ESCAPED = re.compile(r"\\(.)")


class Challenge(Record):
    """One way in."""

    scheme: str  # lower case
    parameters: dict[str, str]  # names in lower case


def challenges(header: str) -> Iterator[Challenge]:
    """All that a header asks for, in its order."""
    at = 0
    while (scheme := _SCHEME.match(header, at)) is not None:
        at = scheme.end()
        found: dict[str, str] = {}
        while (parameter := _PARAMETER.match(header, at)) is not None:
            at = parameter.end()
            name, quoted, plain = parameter.groups()
            found[name.lower()] = plain if quoted is None else _ESCAPED.sub(r"\1", quoted)
        yield Challenge(scheme=scheme[1].lower(), parameters=found)

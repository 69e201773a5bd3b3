"""Values that are known, in every form in which programs print them."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape

import hyperscan

from stanch.scanner.model.error import UsageError
from stanch.scanner.model.secret import SecretValue

SHORTEST = 6
"""Bytes: whatever is shorter is in too many words."""

_LEAST = 5  # characters of an encoded form
_GO = re.compile("[<>&]")  # what its JSON escapes beside what all do
_CMD = re.compile('[&|<>^"]')
_POWERSHELL = re.compile('[`$"]')
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class KnownValues:
    """Finds values by one search for all of their forms. Raises for one that is too short."""

    def __init__(self, values: Iterable[SecretValue]) -> None:
        forms = {form for value in values for form in forms_of(value.reveal())}
        self.across = tuple(sorted(form for form in forms if b"\n" in form))
        self._lengths: dict[int, int] = {}
        self._database: hyperscan.Database | None = None
        if forms:
            listed = sorted(forms)
            self._lengths = {number: len(form) for number, form in enumerate(listed)}
            self._database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
            self._database.compile(
                expressions=[b"".join(b"\\x%02x" % byte for byte in form) for form in listed],
                ids=list(self._lengths),
                elements=len(listed),
                flags=[0] * len(listed),
            )

    def places(self, data: bytes) -> list[tuple[int, int]]:
        """Where they are; places may overlap."""
        found: list[tuple[int, int]] = []
        if self._database is None:
            return found

        def note(number: int, _start: int, end: int, _flags: int, _context: object) -> None:
            found.append((end - self._lengths[number], end))

        self._database.scan(data, match_event_handler=note)
        return found

    def begun(self, data: bytes) -> int:
        """Where a value over several lines may have begun at the end of these lines."""
        first = len(data)
        for form in self.across:
            line = form.find(b"\n") + 1
            at = data.rfind(form[:line])
            if at >= 0 and len(data) - at < len(form) and form.startswith(data[at:]):
                first = min(first, at)
        return first


def forms_of(value: bytes) -> Iterator[bytes]:
    """The value and its encoded forms: those that runners of CI mask, and base64 of base64."""
    if len(value) < SHORTEST:
        raise UsageError(
            f"a value to mask has fewer than {SHORTEST} bytes",
            remedy="masking it would hide ordinary words: name a longer one, --value env:NAME",
        )
    plain = [value, *_lines(value)]
    for each in plain:
        yield from filter(lambda form: len(form) >= _LEAST, _written(each))
        for once in _base64(each):
            yield once
            yield once.translate(_URL_SAFE)
            yield from _base64(once)


def _lines(value: bytes) -> Iterator[bytes]:
    lines = value.splitlines()
    return (line for line in lines if len(line) >= SHORTEST) if len(lines) > 1 else iter(())


def _written(value: bytes) -> Iterator[bytes]:
    """In URLs, JSON, XML, shells and logs."""
    yield value
    yield value.replace(b"$", b"$$")
    yield value.hex().encode()
    yield value.hex().upper().encode()
    yield value.strip(b"\"'")
    yield value.replace(b"\n", b"\r\n")
    yield quote(value, safe="").encode()
    yield quote_plus(value, safe="").encode()
    text = value.decode("utf-8", "surrogateescape")
    if not text.isprintable() and "\n" not in text:
        return
    for form in (
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        _GO.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text)[1:-1]),
        json.dumps(text)[1:-1].replace("/", "\\/"),  # as PHP
        _CMD.sub(r"^\g<0>", text),
        _POWERSHELL.sub(r"`\g<0>", text),
        escape(text, {'"': "&quot;", "'": "&#39;"}),
        escape(text),
        shlex.quote(text),
        text.replace("'", "''"),
        text.replace('"', '\\"'),
        repr(text)[1:-1],
    ):
        yield form.encode("utf-8", "surrogateescape")


def _base64(value: bytes) -> Iterator[bytes]:
    """What of its base64 is the same whatever stands around it, at each of three positions."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + value)
        begin = (0, 2, 3)[shift]
        form = encoded[begin : (shift + len(value)) * 8 // 6]
        if len(form) >= _LEAST:
            yield form

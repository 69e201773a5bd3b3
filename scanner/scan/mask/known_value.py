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

#: A line without an end that somebody is to read now: it asks, or shows that something goes on.
PROMPT = re.compile(rb"(?:[:?>$#%\])][ \t]+|\.{3,}[ \t]*)")
_LONGEST = 2048  # bytes of a form that hyperscan takes, with what it is written as
_LEAST = 5  # characters of an encoded form
_ESCAPE = re.compile("%[0-9A-F]{2}")
_GO = re.compile("[<>&]")  # what its JSON escapes beside what all do
_GSON = re.compile("[<>&=']")  # the same of Java's
_CMD = re.compile('[&|<>^"]')
_POWERSHELL = re.compile('[`$"]')
_URL_SAFE = bytes.maketrans(b"+/", b"-_")


class KnownValues:
    """Finds values by one search for all of their forms. Raises for one that is too short."""

    def __init__(self, values: Iterable[SecretValue]) -> None:
        forms = {form for value in values for form in forms_of(value.reveal())}
        self.longest = max(map(len, forms), default=0)
        self.across = tuple(sorted(form for form in forms if b"\n" in form))
        self._paused = tuple(sorted(form for form in forms if PROMPT.search(form)))
        self._long = tuple(sorted(form for form in forms if len(form) > _LONGEST))
        self._lengths: dict[int, int] = {}
        self._database: hyperscan.Database | None = None
        if listed := sorted(forms.difference(self._long)):
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
        found = [place for form in self._long for place in _every(form, data)]
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
            line = form[: form.find(b"\n") + 1]
            at = data.find(line, max(0, len(data) - len(form) + 1), first + len(line))
            while at >= 0 and not form.startswith(data[at:]):
                at = data.find(line, at + 1, first + len(line))
            first = at if 0 <= at < first else first
        return first

    def paused(self, line: bytes) -> bool:
        """Whether the line, which looks as if somebody was asked, may end within a value."""
        return any(
            line.endswith(form[:size])
            for form in self._paused
            for size in range(1, min(len(line) + 1, len(form)))
        )


def _every(form: bytes, data: bytes) -> Iterator[tuple[int, int]]:
    at = data.find(form)
    while at >= 0:
        yield at, at + len(form)
        at = data.find(form, at + 1)


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
        for once in (*_base64(each), *_base64(_wide(each))):
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
    for form in (
        quote(value, safe=""),
        quote(value),
        quote(value, safe="!'()*"),
        quote_plus(value),
    ):
        yield form.encode()
        yield _ESCAPE.sub(lambda found: found[0].lower(), form).encode()
        yield quote(form, safe="").encode()
    text = value.decode("utf-8", "surrogateescape")
    if not text.isprintable() and "\n" not in text:
        return
    for form in (
        json.dumps(text)[1:-1],
        json.dumps(text, ensure_ascii=False)[1:-1],
        _GO.sub(_escaped, json.dumps(text)[1:-1]),
        _GSON.sub(_escaped, json.dumps(text)[1:-1]),
        json.dumps(text)[1:-1].replace("/", "\\/"),  # as PHP
        json.dumps(json.dumps(text)[1:-1])[1:-1],
        _CMD.sub(r"^\g<0>", text),
        _POWERSHELL.sub(r"`\g<0>", text),
        *_markup(text),
        shlex.quote(text),
        text.replace("'", "''"),
        text.replace('"', '\\"'),
        repr(text)[1:-1],
    ):
        yield form.encode("utf-8", "surrogateescape")


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"


def _markup(text: str) -> Iterator[str]:
    """In HTML and XML, which have several names for a quotation mark."""
    yield escape(text)
    for double in ("&quot;", "&#34;"):
        for single in ("&#39;", "&#x27;", "&apos;", "'"):
            yield escape(text, {'"': double, "'": single})


def _wide(value: bytes) -> bytes:
    """As PowerShell encodes what it encodes."""
    return value.decode("utf-8", "replace").encode("utf-16-le")


def _base64(value: bytes) -> Iterator[bytes]:
    """What of its base64 is the same whatever stands around it, at each of three positions."""
    for shift in range(3):
        encoded = base64.b64encode(bytes(shift) + value)
        begin = (0, 2, 3)[shift]
        form = encoded[begin : (shift + len(value)) * 8 // 6]
        if len(form) >= _LEAST:
            yield form

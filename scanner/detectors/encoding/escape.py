"""Stretches without a space in which signs are written as ``%3D`` or ``\u003d``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from stanch.scanner.detectors.encoding.copy import Copy, Encoding, is_text
from stanch.scanner.detectors.text.percent import character, unquoted
from stanch.scanner.detectors.text.regex_cache import regex

# Signs have to be escaped in a URL; letters never, so three of them are there to hide.
_URL = regex(rb"%(?:3[ADad]|2[2-7Ff]|40|[4-7][0-9A-Fa-f](?:%[4-7][0-9A-Fa-f]){2})")
_SEQUENCE = regex(rb"\\(?:u00[2-7][0-9A-Fa-f]|x[2-7][0-9A-Fa-f](?:\\x[2-7][0-9A-Fa-f]){3})")
_ESCAPE = regex(rb"\\(?:u00|x)([2-7][0-9A-Fa-f])")
_AROUND = regex(rb"[^\s\"'`<>]*")
_SIGN = 16  # bytes that what tells of escapes may be long
_BORDERS = (b"\n", b" ", b'"', b"'")
_LINE = 2048
_LEAST_TEXT = 12


def _escape(name: str, telling: re.Pattern[bytes], read: Callable[[bytes], bytes]) -> Encoding:
    def copies(data: bytes, first: int) -> Iterator[Copy]:
        past = 0
        for sign in telling.finditer(data, max(0, first - _SIGN)):
            if sign.start() < past:
                continue
            begin = max(data.rfind(each, past, sign.start()) for each in _BORDERS) + 1
            begin = max(begin, past, sign.start() - _LINE)
            run = _AROUND.match(data, begin, begin + 2 * _LINE)
            past = max(sign.end(), run.end() if run else 0)
            text = read(data[begin:past])
            if len(text) >= _LEAST_TEXT and is_text(text):
                yield Copy(text=text, start=begin, end=past, encoding=name)

    return Encoding(mark=telling.pattern, copies=copies)


def _unescaped(piece: bytes) -> bytes:
    return _ESCAPE.sub(character, piece)


PERCENT = _escape("url", _URL, unquoted)
SEQUENCE = _escape("escape", _SEQUENCE, _unescaped)

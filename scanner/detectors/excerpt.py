"""The line in which a secret stands, as it may be shown: up to the value, which is masked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from stanch.scanner.detectors.text.regex_cache import regex

MASK = "••••••••"
_MASKED = MASK.encode()
_FRONT = 60  # bytes before the value
_SIGNS = regex(rb"[\"'`;,)\]}>]{0,4}")
#: What no rule has named may still be one: long, or with digits among its letters.
_TOKEN = regex(rb"[A-Za-z0-9+/_.~-]{24,}|(?=[A-Za-z_-]*[0-9])[A-Za-z0-9+_-]{9,}")
#: Where a password of another place stands, whatever it looks like: in a URL, in quotes that name
#: nothing, behind an option of one letter or a verb, in a cell of a table.
_PLACE = regex(
    rb"(?P<kind>\"(?:action|event|format|kind|level|method|role|status|type)\"\s{0,3}:\s{0,3}"
    rb"\"[A-Za-z][A-Za-z_-]{0,19}\")"  # says what the other values are
    rb"|(?<=://)[^\s/@]{1,100}(?=@)"
    rb"|(?P<quote>['\"`])[^'\"`]{1,100}(?P=quote)(?=(?P<names>\s{0,3}[\]:=])?)"
    rb"|(?<=\s-[A-Za-z]\s)[^\s-]\S{2,}(?=\s)|(?<=\sis\s)\S+(?=\s)|(?<=\|\s)[^|\s]+(?=\s{1,8}\|)"
)
_CONSTANT = regex(rb"['\"`][A-Z0-9_]+['\"`]")
_WORD = regex(rb"[A-Za-z0-9+/_.~-]+")
_NAME = regex(rb"[A-Z0-9_]{9,}|[A-Za-z]{1,20}[0-9]{0,2}(?:[._-][A-Za-z]{1,20}[0-9]{0,2})*")


def excerpt(data: bytes, start: int, end: int, secrets: Sequence[tuple[int, int]]) -> str:
    """The line before ``data[start:end]``, the value masked, and the quotes or brackets behind it.

    Whatever lies in one of the ``secrets`` (start and end of everything that was judged in this
    text, in order of their ends) is masked as well, and so is what looks like a token in front of
    the value.
    """
    begin = data.rfind(b"\n", 0, start) + 1
    cut = max(begin, start - _FRONT)
    front = _without(data, cut, start, secrets)
    if cut > begin and _WORD.match(data, cut - 1, start) and (torn := _WORD.match(front)):
        front = front[torn.end() :]  # the rest of a token does not look like one
    front = _PLACE.sub(_kept, front)
    front = _TOKEN.sub(lambda found: found[0] if _NAME.fullmatch(found[0]) else _MASKED, front)
    behind = _SIGNS.match(data, end)
    text = front.lstrip() + _MASKED + (behind[0] if behind else b"")
    return ("…" if cut > begin else "") + text.decode("utf-8", "replace")


def _kept(found: re.Match[bytes]) -> bytes:
    """What stands in such a place; masked, but for quoted names."""
    return found[0] if found["kind"] or found["names"] or _CONSTANT.fullmatch(found[0]) else _MASKED


def _end(span: tuple[int, int]) -> int:
    return span[1]


def _without(data: bytes, start: int, end: int, secrets: Sequence[tuple[int, int]]) -> bytes:
    """``data[start:end]`` with every secret in it masked."""
    parts = []
    at = start
    first, last = (bisect_right(secrets, border, key=_end) for border in (start, end))
    for begin, stop in sorted(secrets[first:last]):
        if at < stop and begin < end:  # what reaches into the value is about the value
            parts += [data[at : max(at, begin)], _MASKED]
            at = stop
    return b"".join((*parts, data[at:end]))

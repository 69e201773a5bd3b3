"""Reads ``name = value`` around a candidate, in whatever language the file is written."""

from __future__ import annotations

import re

from stanch.scanner.detectors.candidate import Candidate
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.model.record import Record

# The name is tried once for each word, whole: no backtracking into long words.
_NAME = regex(
    rb"""(?<![A-Za-z0-9_.\-])(?P<name>[A-Za-z0-9_.\-]{1,160}+)
    (?P<closing>(?:\\?["'`\])*]|&\#3[49];|&quot;){0,4})[ \t]{0,8}
    (?::[ ]?[A-Za-z_][\w.\[\]<>|?]{0,24}[ ](?==[ ]))?
    (?P<operator>:=|=>|={1,3}|!=|[:>]|\?=|\|\|=)
    [ \t]{0,9}
    (?P<quote>(?:[rbfuRBFU@L]{0,2}\\?["'`]{1,3}|&\#3[49];|&quot;)?)$""",
    re.VERBOSE,
)
_OPEN_QUOTE = regex(rb"&#3[49];|&quot;|\\?[\"'`]")
#: A value without quotes ends at white space, a closing sign, an entity or the next parameter.
BARE = regex(rb"(?:(?!&(?:#\d+;|[a-z]+;|[\w.-]{1,40}=)|\\[nrt\"'])[^\s\"'`<>,;)\]}|])+")
#: How much is looked at, in bytes: of a value, in front of it, and behind it.
LONGEST = 400
FRONT = 240
TAIL = 24
_QUOTES = (b'"', b"'", b"`")


class Assignment(Record):
    """``name operator quote value``; ``quote`` is empty for a bare value.

    ``front`` is the line in front of the name and ``tail`` some of it behind the value; ``cut`` is
    the byte behind a bare value: a bracket there says that it is a piece of code.
    """

    name: bytes
    operator: bytes
    quote: bytes
    start: int
    end: int
    cut: bytes
    front: bytes
    tail: bytes

    @property
    def lead(self) -> bytes:
        """The four bytes in front of the name."""
        return self.front[-4:]

    @property
    def in_string(self) -> bool:
        """Whether a bare value stands inside a string that was opened before the name."""
        return not self.quote and any(self._outside.count(mark) % 2 for mark in _QUOTES)

    @property
    def _outside(self) -> bytes:
        """The front without the quote that opens the name itself."""
        return self.front[:-1] if self.front[-1:] in _QUOTES else self.front

    @property
    def last_word(self) -> bytes:
        """The last word of a dotted name: ``password`` of ``db.Password`` and ``password.2``."""
        words = self.name.lower().split(b".")
        return next((word for word in reversed(words) if not word.isdigit()), b"")


def read(candidate: Candidate) -> Assignment | None:
    """The assignment whose value begins at the candidate; ``None`` when there is none."""
    text = candidate.before(FRONT)
    front = _NAME.search(text)
    if front is None:
        return None
    name, ahead = front["name"], text[: front.start()]
    if _is_no_name(front, ahead):
        return None
    if ahead[-1:] == b"\\" and name[:1] in (b"n", b"r", b"t"):
        name = name[1:]  # an escaped line feed stands in front: "user=…\npass=…"
    start, data = candidate.start, candidate.data
    window = data[start : start + LONGEST]
    quote = front["quote"]
    if quote:
        opened = _OPEN_QUOTE.findall(quote)[-1]
        if _is_empty(quote, front["closing"]) or _ends_here(opened, front["closing"], ahead):
            return None
        stop = closing(window, opened)
        if stop is None:
            return None
        end, cut = start + stop, b""
    else:
        bare = BARE.match(window)
        end = start + (bare.end() if bare else 0)
        cut = data[end : end + 1]
    if end <= start:
        return None
    return Assignment(
        name=name,
        operator=front["operator"],
        quote=quote,
        start=start,
        end=end,
        cut=cut,
        front=ahead,
        tail=data[end : end + TAIL].split(b"\n", 1)[0],
    )


def _is_no_name(front: re.Match[bytes], ahead: bytes) -> bool:
    """``test "$pass" = "a,b"`` compares; of ``sign("secret") => "5f1d"`` the call is in front."""
    if ahead[-1:] == b"$" and front["closing"][:1] in _QUOTES:
        return True
    return front["operator"] == b"=>" and b")" in front["closing"]


def _is_empty(quote: bytes, closing: bytes) -> bool:
    """``password=""``: two quotes are an empty value, unless all quotes are doubled here."""
    return quote[-1:] * 2 == quote[-2:] != quote[-3:-1] and quote[-2:] not in closing


def _ends_here(quote: bytes, closing: bytes, ahead: bytes) -> bool:
    """``"Your password: " + text``: the quote behind the name closes what stands in front of it."""
    if closing or quote == b"'":  # an apostrophe in front says nothing
        return False
    return (ahead.count(quote) - ahead.count(b"\\" + quote)) % 2 == 1 if len(quote) == 1 else False


def closing(window: bytes, quote: bytes) -> int | None:
    """Where the value that ends with ``quote`` ends, on the same line; an escaped one ends none."""
    line = window.split(b"\n", 1)[0]
    at = line.find(quote)
    while at > 0 and len(quote) == 1 and line[at - 1 : at] == b"\\":
        at = line.find(quote, at + 1)
    return at if at > 0 else None

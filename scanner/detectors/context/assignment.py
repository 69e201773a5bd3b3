"""Reads ``name = value`` around a candidate, in whatever language the file is written."""

from __future__ import annotations

import re
from typing import NamedTuple

from stanch.scanner.detectors.candidate import Candidate
from stanch.scanner.detectors.context.value_end import BARE, bare_end, closing
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.settings_file import is_exact, is_settings, is_shell
from stanch.scanner.model.record import Record

# The name is tried once for each word, whole: no backtracking into long words.
_NAME = regex(
    rb"""(?<![A-Za-z0-9_.\-\x80-\xff])(?P<name>[A-Za-z0-9_.\-\x80-\xff]{1,160}+)
    (?P<closing>(?:\\?["'`\])*]|&\#3[49];|&quot;){0,4})[ \t]{0,8}
    (?P<type>:[ ]?[A-Za-z_][\w.\[\]<>|?]{0,24}[ ](?==[ ]))?
    (?P<operator>:=|=>|={1,3}|!=|[:>]|\?=|\|\|=)
    [ \t]{0,9}
    (?P<quote>(?:[rbfuRBFU@L]{0,2}\\?["'`]{1,3}|&\#3[49];|&quot;)?)$""",
    re.VERBOSE,
)
_OPEN_QUOTE = regex(rb"&#3[49];|&quot;|\\?[\"'`]")
#: How much is looked at, in bytes: of a value, in front of it, and behind it.
LONGEST = 400
FRONT = 240
TAIL = 24
#: Anything shorter is no secret, and mostly an empty text with what follows it.
_SHORTEST = 3
_MOST_ASSIGNED = 4  # times, in a bare value that is as long as any
_QUOTES = (b'"', b"'", b"`")
#: What stands in the place of a quote around an element's content.
_CONTENT = b">"
#: Lines of settings that begin with a word: in front of a name stands nothing else.
_LINE = regex(rb"[ \t>+*#;-]{0,40}(?:(?:export|set|ENV|ARG)[ ])?(?:[\"']?$|[\w.-]{1,80}[.:/]$)")
#: A look-up of another name, with what is taken when it is not there.
_FALLBACK = regex(
    rb"\$\{[\w.]{1,80}(?::[\w.]{1,80}(?=:-))?:-?[\"']?([^?+=\"'${}\s][^${}\s\"']*)[\"']?\}"
)
_MESSAGE = (b"?", b"+")
_MARKED_SECTION = b"<![CDATA["
_DIRECTIVES = (b"ENV ", b"ARG ")
_SINGLE = (*_QUOTES, *(b"\\" + mark for mark in _QUOTES))
#: What may stand behind the quote that closes a value.
_ENDS = regex(rb"[\s,;)\]}#&|]|\Z")
#: `key => value` and `==` are operators; where nothing but `=` is one, the rest is the value's.
_LONG_OPERATORS = (b"==", b"===", b"=>")


class Assignment(Record):
    """``name operator quote value``; ``quote`` is empty for a bare value.

    ``front`` is the line in front of the name and ``tail`` some of it behind the value; ``cut`` is
    the byte behind a bare value: a bracket there says that it is a piece of code. In ``settings`` a
    bare word is a value, in ``exact`` ones with all of its signs.
    """

    name: bytes
    operator: bytes
    quote: bytes
    start: int
    end: int
    cut: bytes
    front: bytes
    tail: bytes
    settings: bool = False
    exact: bool = False

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
    if ahead[-1:] == b"$" and front["type"]:  # $env:NAME of PowerShell: a scope, not a type
        name, ahead = front["type"][1:].strip(), ahead + name + b":"
    if ahead[-1:] == b"\\" and name[:1] in (b"n", b"r", b"t"):
        name = name[1:]  # an escaped line feed stands in front: "user=…\npass=…"
    found = _value(candidate, front, ahead)
    if found and (given := _FALLBACK.fullmatch(candidate.data, found.start, found.end)):
        found = found._replace(start=given.start(1), end=given.end(1), quote=b"}")
    if found is None or found.end - found.start < _SHORTEST or _goes_on(candidate.data, found):
        return None
    candidate.start, data, end = found.start, candidate.data, found.end
    return Assignment(
        name=name,
        operator=found.operator,
        quote=found.quote,
        start=found.start,
        end=end,
        cut=data[end : end + 1] if found.quote in (b"", _CONTENT) else b"",
        front=ahead,
        tail=data[end : end + TAIL].split(b"\n", 1)[0],
        settings=is_settings(candidate.path, data),
        exact=found.exact,
    )


def _goes_on(data: bytes, found: _Value) -> bool:
    """Whether nothing ends a bare value, and it assigns again and again: `a=b=c=…` is none.

    Each of its names would be a place of its own, with a value as long.
    """
    if found.quote or found.end - found.start < LONGEST - TAIL:
        return False
    signs = max(data.count(sign, found.start, found.end) for sign in (b"=", b":"))
    return signs > _MOST_ASSIGNED


class _Value(NamedTuple):
    """Where a value begins and ends, what gives it and quotes it, and whether all signs count."""

    start: int
    end: int
    operator: bytes
    quote: bytes
    exact: bool


def _value(candidate: Candidate, front: re.Match[bytes], ahead: bytes) -> _Value | None:
    start, operator, quote = candidate.start, front["operator"], front["quote"]
    if operator == b">" and ahead[-1:] == b"<":
        start -= len(quote)  # in an element's content a quote is a sign like any other
        line = candidate.data[start : start + LONGEST].split(b"\n", 1)[0]
        if line.startswith(_MARKED_SECTION):
            return None  # its content is a place of its own
        end = start + len(line[: max(line.find(b"</"), 0)].rstrip())
        return _Value(start, end, operator, _CONTENT, exact=True)
    directive = ahead.lstrip()[:4] in _DIRECTIVES and is_shell(candidate.path)
    exact = directive or is_exact(candidate.path, candidate.data)
    if operator == b":" and ahead[-2:] == b"${" and not quote:
        return _default(start, candidate.data[start : start + LONGEST])
    if quote:
        found = _quoted(candidate, front, ahead, exact=exact)
        if found is None or found.end > found.start:
            return found
        start -= len(quote)
    elif exact and operator in _LONG_OPERATORS and front.end("operator") == len(front.string):
        start, operator = start - len(operator) + 1, operator[:1]
    length, exact = _bare(candidate, start, ahead, exact=exact)
    return _Value(start, start + length, operator, b"", exact=exact)


def _default(start: int, window: bytes) -> _Value | None:
    """`${PASSWORD:-value}` of shells and `${password:value}` of Spring; a message is no value."""
    if window[:1] in _MESSAGE:
        return None
    skipped = len(window) - len(window.lstrip(b"-\"'"))
    start, window = start + skipped, window[skipped:].replace(b'"', b"}").replace(b"'", b"}")
    end = window.split(b"\n", 1)[0].find(b"}")
    return _Value(start, start + end, b":", b"}", exact=True) if end > 0 else None


def _quoted(
    candidate: Candidate, front: re.Match[bytes], ahead: bytes, *, exact: bool
) -> _Value | None:
    """A value in quotes; an empty one where the quote is a bare value's first sign."""
    start, quote = candidate.start, front["quote"]
    opened = _OPEN_QUOTE.findall(quote)
    if _is_empty(quote, front["closing"]) or _ends_here(opened[-1], front["closing"], ahead):
        return None
    window = candidate.data[start : start + LONGEST]
    if len(set(opened)) > 1 and window.find(opened[-1] + opened[0]) < 0:
        start -= len(b"".join(opened[1:]))  # `"'x…"`: the second sign is the value's first
        quote, opened = opened[0], opened[:1]
        window = candidate.data[start : start + LONGEST]
    run = b"".join(opened) if len(opened) > 1 else b""  # "" in a quoted field, ''' around a text
    at = window.split(b"\n", 1)[0].find(run) if run else -1
    stop = at if at > 0 else closing(window, opened[-1])
    alone = exact and _LINE.fullmatch(ahead)
    if alone and quote in _SINGLE and (stop is None or not _ENDS.match(window, stop + 1)):
        return _Value(start, start, front["operator"], b"", exact=True)
    if stop is None:
        return None
    return _Value(start, start + stop, front["operator"], quote, exact=True)


def _bare(candidate: Candidate, start: int, ahead: bytes, *, exact: bool) -> tuple[int, bool]:
    """How long a value without quotes is, and whether all of its signs are its own."""
    path, data = candidate.path, candidate.data
    window = data[start : start + LONGEST]
    alone = _LINE.fullmatch(ahead) is not None
    within = any(ahead.rstrip(b"\"'`" if alone else b"").count(mark) % 2 for mark in _QUOTES)
    exact = exact and not within
    if not exact:
        if alone and is_settings(path, data) and not is_shell(path):
            exact = b" " not in window.split(b"\n", 1)[0].rstrip()
        if not exact and not within:
            bare = BARE.match(window)
            return (bare.end() if bare else 0), False
    return bare_end(window, ahead, exact=exact, alone=alone), exact


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

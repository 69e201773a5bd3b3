"""Sorts out, fast, most of what is assigned to a secret's name in a program: expressions.

Nine of ten candidates in source code are calls and variables: ``token = self.issue(user)``,
``password=password,``. What is dismissed here the full judgement in ``generic`` would dismiss too,
at ten times the cost; what is not so simple is left to it.
"""

from __future__ import annotations

from stanch.scanner.detectors.text.patch import patched
from stanch.scanner.detectors.text.path_kind import is_comment, is_foreign_ground
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.settings_file import is_settings

#: So many bytes of the value the pattern of an assignment matches, and ends with.
HEAD = 3
#: A dotted name, a number, or something too short; then what ends a bare value.
_PLAIN = regex(
    rb"(?:[A-Za-z_$][A-Za-z0-9_$]{0,60}(?:(?:\.|::?)[A-Za-z_$][A-Za-z0-9_$]{0,60}){0,5}|[0-9]{1,20}"
    rb"|[^\s\"'`<>,;)\]}|&\\([{:]{1,7})(?=[\s\"'`<>,;)\]}|]|\Z)"
)
_CALL = regex(
    rb"[A-Za-z_$][A-Za-z0-9_$]{0,60}(?:(?:\.|::?)[A-Za-z_$][A-Za-z0-9_$]{0,60}){0,5}[(\[]"
)
_QUOTED = b"\"'`;"  # the semicolon ends &quot; and &#39;
_OPERATORS = b"=>!:"
_OPERATOR_ENDS = b"=>"
_QUOTES = (b'"', b"'", b"`")
_NAME = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-"
_FRONT = 240
_ELEMENT = b">"  # <password>value</password>: the one operator whose values are texts
_SHORTEST_KEYWORD = 3


def is_expression(data: bytes, begin: int, end: int, path: str) -> bool:
    """Whether the value of an assignment that begins at ``begin`` is plainly code.

    ``end`` is just past the value's first ``HEAD`` bytes. False says nothing.
    """
    path = patched(path, data, begin)
    if is_foreign_ground(path):
        return True
    start = end - HEAD
    settings = is_settings(path, data)
    if not settings and data[start] in _OPERATOR_ENDS and data[start - 1] in _OPERATORS:
        return True  # `===` was read as `=` and a value
    quoted = data[start - 1] in _QUOTED
    if settings or quoted or data[begin:start].rstrip()[-1:] == _ELEMENT:
        return False
    return bool(_CALL.match(data, start)) or _is_plain(data, begin, start)


def _is_plain(data: bytes, begin: int, start: int) -> bool:
    """Whether it is a name or a number that stands outside of strings and comments."""
    if not _PLAIN.match(data, start) or data[begin : begin + _SHORTEST_KEYWORD].isupper():
        return False  # NAME=value, as for the environment
    line = data[max(0, start - _FRONT) : begin]
    front = line[line.rfind(b"\n") + 1 :].rstrip(_NAME)
    if front[-1:] in _QUOTES:
        front = front[:-1]  # it opens the name itself
    return not (is_comment(front) or any(front.count(mark) % 2 for mark in _QUOTES))


#: What sorts out most matches of the rules whose first check this is, before anything else.
SCREENS = {"assignment": is_expression}

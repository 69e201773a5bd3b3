"""Which key of a JSON text an offset belongs to: ``entries[3].request.headers.Authorization``."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

_TOKEN = re.compile(rb'"(?:[^"\\]|\\.)*+"|[{}\[\],:]', re.DOTALL)
_NAME = re.compile(r"[A-Za-z_$][\w$.-]{0,79}")
#: An object that only gives a name to a value is called by the name.
_VALUES = ("value",)
_ROOTS = ("log.entries[",)  # of HAR: everything is in there
_DEEPEST = 200


class _Level:
    """An object or a list that is open."""

    __slots__ = ("index", "is_list", "key", "name", "waits")

    def __init__(self, *, is_list: bool) -> None:
        self.is_list = is_list
        self.index = 0
        self.key = ""
        self.name = ""
        self.waits = not is_list  # for a key


def places(data: bytes, offsets: Iterable[int]) -> Mapping[int, str]:
    """The place of each offset; one that is in no value has none."""
    wanted = sorted(set(offsets), reverse=True)
    found: dict[int, str] = {}
    levels: list[_Level] = []
    for token in _TOKEN.finditer(data):
        end, sign = token.end(), data[token.start()]
        level = levels[-1] if levels else None
        if sign == 0x22 and level is not None:  # noqa: PLR2004  # a quote
            _string(level, data, token)
        while wanted and wanted[-1] < end:
            found[wanted.pop()] = _path(levels)
        if not wanted or len(levels) > _DEEPEST:
            break
        if sign in b"{[":
            levels.append(_Level(is_list=sign == 0x5B))  # noqa: PLR2004  # a bracket
        elif sign in b"}]" and levels:
            levels.pop()
        elif sign == 0x2C and level is not None:  # noqa: PLR2004  # a comma
            level.index += 1
            level.waits = not level.is_list
    return found


def _string(level: _Level, data: bytes, token: re.Match[bytes]) -> None:
    """A key, or the value that gives its object a name."""
    if level.waits:
        level.key = data[token.start() + 1 : token.end() - 1][:200].decode("utf-8", "replace")
        level.waits = False
    elif level.key in {"name", "key"} and not level.is_list:
        name = data[token.start() + 1 : token.end() - 1].decode("utf-8", "replace")
        level.name = name if _NAME.fullmatch(name) else ""


def _path(levels: list[_Level]) -> str:
    said = ""
    for number, level in enumerate(levels):
        inner = levels[number + 1] if number + 1 < len(levels) else None
        if level.is_list:
            named = inner is not None and inner.name and inner.key in _VALUES
            said += f".{inner.name}" if named and inner is not None else f"[{level.index}]"
        elif not (level.key in _VALUES and level.name and number and levels[number - 1].is_list):
            said += f".{level.key}" if _NAME.fullmatch(level.key) else f'["{level.key}"]'
    said = said.removeprefix(".")
    return said.removeprefix("log.") if said.startswith(_ROOTS) else said

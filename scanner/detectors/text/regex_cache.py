"""Regular expressions, compiled once for all runs.

``re`` compiles an expression in Python, which takes thirty times as long as handing the outcome to
the matcher: for all that a scan looks with, a tenth of a small scan. So the outcome is kept in the
user's cache. ``re`` has no way to keep it; it goes to the matcher by the call with which ``re``
ends its own compiling (``Lib/re/_compiler.py``), and the matcher checks what it is given. An
interpreter that does it in another way compiles as usual.
"""

from __future__ import annotations

import marshal
import re
import sys
from collections.abc import Iterable
from importlib import import_module
from typing import Any, AnyStr

from stanch.scanner.local import cache

_matcher: Any = import_module("_sre")
#: What the interpreter would compile in another way belongs to another file.
_KIND = f"{sys.implementation.name}-{sys.hexversion:x}-{_matcher.MAGIC}"
_MOST = 8192  # expressions in one file; own rules come and go
#: What another interpreter, or a file that is not ours, may answer with.
_STRANGE = (AttributeError, TypeError, ValueError, EOFError, RuntimeError, ImportError)


class Shelf:
    """Compiled expressions in one file of the cache, which is read when the first is wanted."""

    __slots__ = ("_name", "_new", "_programs")

    def __init__(self, name: str) -> None:
        self._name = f"regex-{name}-{_KIND}.marshal"
        self._programs: dict[tuple[str | bytes, int], bytes] | None = None
        self._new: dict[tuple[str | bytes, int], bytes] = {}

    def pattern(self, source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
        """The same as ``re.compile``."""
        key = (source, int(flags))
        program = self._kept().get(key)
        if program is not None:
            try:
                return _handed_over(source, program)
            except _STRANGE:
                self._programs = {}  # all of it is suspect
        try:
            self._new[key] = _program(*key)
            return _handed_over(source, self._new[key])
        except _STRANGE:
            self._new.pop(key, None)
            return re.compile(source, flags)

    def keep(self) -> None:
        """Write what had to be compiled, next to what was there already."""
        if self._new:
            old = self._kept() if len(self._kept()) < _MOST else {}
            self._programs = old | self._new
            self._new = {}
            cache.write(cache.directory(), self._name, marshal.dumps(self._programs))

    def lacks(self, sources: Iterable[AnyStr]) -> bool:
        """Whether one of them would have to be compiled."""
        known = self._kept()
        return any((source, 0) not in known for source in sources)

    def _kept(self) -> dict[tuple[str | bytes, int], bytes]:
        if self._programs is None:
            body = cache.read(cache.directory(), self._name)
            try:
                self._programs = dict(marshal.loads(body)) if body else {}  # noqa: S302  # our own
            except _STRANGE:
                self._programs = {}
        return self._programs


_OWN = Shelf("own")
_RULES = Shelf("rules")


def regex(source: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """An expression of the scanner's own, for a constant of a module."""
    return _OWN.pattern(source, flags)


def of_rule(source: bytes) -> re.Pattern[bytes]:
    """A rule's expression."""
    return _RULES.pattern(source)


def keep(sources: Iterable[bytes]) -> None:
    """Keep all that was compiled so far, and the expressions of all these rules."""
    _OWN.keep()
    wanted = list(sources)
    if _RULES.lacks(wanted):
        for source in wanted:
            _RULES.pattern(source)
        _RULES.keep()


def _program(source: str | bytes, flags: int) -> bytes:
    """What the matcher needs to know, made by the standard library."""
    parsed = import_module("re._parser").parse(source, flags)
    code = import_module("re._compiler")._code(parsed, flags)  # noqa: SLF001  # see the module
    state = parsed.state
    program = list(map(int, code))  # some are named constants
    return marshal.dumps((flags | state.flags, program, state.groups - 1, dict(state.groupdict)))


def _handed_over(source: AnyStr, program: bytes) -> re.Pattern[AnyStr]:
    flags, code, groups, names = marshal.loads(program)  # noqa: S302  # our own
    by_number: list[str | None] = [None] * (groups + 1)
    for name, number in names.items():
        by_number[number] = name
    made: re.Pattern[AnyStr] = _matcher.compile(
        source, flags, code, groups, names, tuple(by_number)
    )
    return made

"""Rule patterns as ``re`` sees them: compiled once, on first use, and measured."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from stanch.scanner.detectors.text import regex_cache
from stanch.scanner.model.error import RuleError

#: No pattern may match more than this many bytes, so that confirming stays within bounds.
WIDEST = 1 << 15


#: A token may follow what ends in a letter or digit: a line feed, a byte in percent form or a
#: colour, each written out.
_WRITTEN_OUT = r"|(?<=\\[nrt])|(?<=%[0-9A-F][0-9A-F])|(?<=\[[0-9]m)|(?<=[\[;][0-9][0-9]m)"
_FRONT = f"(?:(?<![0-9A-Za-z]){_WRITTEN_OUT})"
_ALONE = re.compile(r"\(\?<!\[(?:\\.|[^\]\\])+\]\)(?=\((?!\?))")
_GAP = r"(?s:.{0,40}?)"
_SHORT_NAME = 5
_OFTEN = 24  # repetitions of so many are harmless within each other
_NAME_ENDS = r"(?=[^a-z]|(?i:api|key|secret|token|access|client|auth))"
_PLACED = {
    "{name}": (
        r"(?P<name>[A-Za-z0-9_.:/-]{0,48}(?i:pass(?:word|wd|phrase|code|wort)?|pwd|secret|token"
        r"|credentials?|(?:api|auth|access|private|signing|encryption|service|account|master|shared"
        r"|license|client)[_.-]?key)[A-Za-z0-9_.-]{0,24})"
    ),
    "{password}": (
        r"(?P<name>(?:[A-Za-z0-9_.-]{1,20}[ ]){0,2}[A-Za-z0-9_.-]{0,32}"
        r"(?i:passw(?:or)?d|passphrase|passcode|passwort|pwd)[A-Za-z0-9_.-]{0,8})"
    ),
    "{value}": r"(?P<value>[^\s\"'`<>|]{4})",
    "{quote}": r"(?:\\?[\"'`]|&quot;|&#3[49];)",
}


@cache
def compiled(pattern: str) -> re.Pattern[bytes]:
    """``pattern`` for bytes. Rules are ASCII, hence case-insensitivity is ASCII too."""
    return regex_cache.of_rule(pattern.encode("ascii"))


def keywords(words: Iterable[str]) -> bytes:
    """The expression that finds any of a rule's keywords, in any case."""
    return b"(?i:" + b"|".join(re.escape(word.encode()) for word in words) + b")"


_widths: dict[str, int] = {}


def learn(widths: Mapping[str, int]) -> None:
    """Take over what :func:`width_of` said in an earlier run: measuring is slow."""
    _widths.update(widths)


def width_of(pattern: str) -> int:
    """The most bytes that ``pattern`` can match; an error when it has no bound."""
    width = _widths.get(pattern)
    if width is None:
        width = _widths[pattern] = _measured(pattern)
    return width


def _measured(pattern: str) -> int:
    # The standard library has no public way to ask a pattern for its width.
    widest: int = importlib.import_module("re._parser").parse(pattern.encode("ascii")).getwidth()[1]
    if widest > WIDEST:
        raise RuleError(
            f"the pattern can match more than {WIDEST} bytes",
            remedy="give every repetition an upper bound, e.g. {20,300} instead of +",
        )
    return widest


def bounded_effort(pattern: str) -> bool:
    """Whether ``re`` can never take long over one place: no repetition of a variable repetition.

    Widths are bounded already; what remains is trying one stretch in many ways, for which a
    repetition must hold another one, or alternatives that match the same.
    """
    parser = importlib.import_module("re._parser")
    return _steady(parser.parse(pattern.encode("ascii")), repeated=False)


def _steady(parsed: Iterable[tuple[object, object]], *, repeated: bool) -> bool:
    for operation, argument in parsed:
        name = str(operation)
        if name in {"MAX_REPEAT", "MIN_REPEAT"} and isinstance(argument, tuple):
            least, most, body = argument
            if repeated and least != most and most > _OFTEN:
                return False
            if not _steady(body, repeated=repeated or most > _OFTEN):
                return False
        elif name == "SUBPATTERN" and isinstance(argument, tuple):
            if not _steady(argument[-1], repeated=repeated):
                return False
        elif name == "BRANCH" and isinstance(argument, tuple):
            branches = [list(each) for each in argument[1]]
            texts = [str(each) for each in branches]
            if repeated and len(set(texts)) < len(texts):
                return False
            if not all(_steady(each, repeated=repeated) for each in branches):
                return False
    return True


def whole(core: str, names: Sequence[str] = ()) -> str:
    """The pattern of a whole token: nothing that could belong to it may touch ``core``.

    With ``names`` one of them must lead to it, at most 40 bytes in front and in any case. A space
    in a name stands for any separator or none. A short name must not begin a longer word.
    """
    behind = (
        "(?![0-9A-Za-z_-])" if re.search(r"_?-\](?:\{[0-9,]+\})?\)*$", core) else "(?![0-9A-Za-z])"
    )
    if not names:
        return f"{_FRONT}({core}){behind}"
    words = "|".join(_name(name) for name in names)
    return f"(?<![A-Za-z])(?:{words}){_GAP}(?<![0-9A-Za-z])({core}){behind}"


def fronted(pattern: str) -> str:
    """A free pattern that begins with what may not be in front of it: that may be written out."""
    found = _ALONE.match(pattern)
    return f"(?:{found[0]}{_WRITTEN_OUT}){pattern[found.end() :]}" if found else pattern


def placed(core: str) -> str:
    """The pattern of a place: ``{name}``, ``{password}`` and ``{value}`` say what stands where.

    ``{name}`` is any secret's name and ``{password}`` a password's, which may be words; ``{value}``
    is the value's head, at which its end is looked for.
    """
    for word, meaning in _PLACED.items():
        core = core.replace(word, meaning)
    return core


def lead_of(pattern: str) -> str | None:
    """The names that lead to a token made by :func:`whole`; ``None`` for other patterns."""
    lead, gap, _ = pattern.partition(_GAP)
    return lead if gap else None


def _name(name: str) -> str:
    word = "[ _.-]?".join(re.escape(part) for part in name.split())
    return f"(?i:{word})" + (_NAME_ENDS if len(name) <= _SHORT_NAME else "")

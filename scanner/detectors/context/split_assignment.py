"""Places in which a name and its value stand apart: two fields, a table's cells, a call.

A rule with ``place:`` names where both may stand; what is found there is one (name, value), for the
judgement that assignments get. A place without a name is a password's by itself (``sshpass -p …``).
"""

from __future__ import annotations

from stanch.scanner.detectors.candidate import NOT_THIS, Candidate, CheckResult
from stanch.scanner.detectors.context.assignment import FRONT, LONGEST, TAIL, Assignment
from stanch.scanner.detectors.context.generic import judged
from stanch.scanner.detectors.context.value_end import BARE, bare_end, closing
from stanch.scanner.detectors.matching.pattern import compiled, width_of
from stanch.scanner.detectors.text.regex_cache import regex
from stanch.scanner.detectors.text.settings_file import is_exact, is_settings

#: What a place without a name of its own holds.
_NAMELESS = b"password"
#: What may open a value, and what then closes it; anything else is a bare word.
_FENCES = (
    (regex(rb"<!\[CDATA\[$"), b"]]>"),
    (regex(rb">\s{0,80}$"), b"<"),
    (regex(rb"\|[ \t]{0,16}[*_`]{0,3}$"), b"|"),
    (regex(rb"\\[\"'`]$"), None),
    (regex(rb"&(?:#3[49]|quot);$"), None),
    (regex(rb"[\"'`]$"), None),
)
#: Behind other words a semicolon ends the directive.
_GIVES = (b":", b"=", b">")
_FRAME = b" \t*_`"
#: Files whose lines are a word and what it is set to.
_DIRECTIVES = regex(
    r"(?i)(?:\.(?:conf|cnf|cfg|acl|ovpn|auth)|(?:^|/)\.?\w*rc|(?:^|/)(?:\w*passwd|\w*secrets))"
    r"(?:\.\w{1,12}|~)?$"
)
_MARGIN = 8
#: Words that follow an option's name in a text about it, never as its value.
_ARTICLE = regex(rb" (?:the|an?|its|their|this|that|these|those) ")
_GRAMMAR = frozenset(
    b"""
    flag flags option options argument arguments parameter parameters is are was were and or to for
    suffers with without in into on can could may must shall should will when where which that then
    than from field value values prompt file instead must only also has have not be
    """.split()
)


def check_place(candidate: Candidate) -> CheckResult:
    """A value whose name stands elsewhere in the same place, judged as if it were assigned."""
    found = read(candidate)
    if found is None:
        return NOT_THIS
    candidate.end = found.end
    return judged(found, candidate)


def check_argument(candidate: Candidate) -> CheckResult:
    """A password as a program's or a call's argument: also a bare word is one, in any file."""
    found = read(candidate)
    if found is None:
        return NOT_THIS
    candidate.end = found.end
    value = candidate.value
    if value[:1] == b"-" or value.lower() in _GRAMMAR:
        return NOT_THIS  # another option, or a text about this one
    if not found.quote and _ARTICLE.match(found.tail):
        return NOT_THIS  # identified by leaving out the role
    return judged(found, candidate, bare=True)


def check_directive(candidate: Candidate) -> CheckResult:
    """A word and its value alone on a line, as servers and clients read their settings."""
    if not _DIRECTIVES.search(candidate.path):
        return NOT_THIS  # a line of two words in any text
    return check_argument(candidate)


def read(candidate: Candidate) -> Assignment | None:
    """The name and the value of a place; ``None`` when the value does not end on its line."""
    data, start = candidate.data, candidate.start
    window = data[start : start + LONGEST].split(b"\n", 1)[0]
    front = data[max(0, start - FRONT) : start]
    exact = is_exact(candidate.path, data)
    quote, stop = _extent(window, front, exact=exact)
    if stop <= 0:
        return None
    end = start + stop
    return Assignment(
        name=_name(candidate),
        operator=b"=",
        quote=quote,
        start=start,
        end=end,
        cut=b"" if quote else data[end : end + 1],
        front=front.rpartition(b"\n")[2],
        tail=data[end : end + TAIL].split(b"\n", 1)[0],
        settings=is_settings(candidate.path, data),
        exact=exact,
    )


def _extent(window: bytes, front: bytes, *, exact: bool) -> tuple[bytes, int]:
    """What opened the value, and where in ``window`` it ends; 0 when it does not."""
    for opens, closes in _FENCES:
        opened = opens.search(front)
        if opened is None:
            continue
        stop = closing(window, closes or opened[0]) or 0
        if not stop and closes == b"<":
            continue  # no element, but a list of users: `on >password`
        return opened[0].strip() or b">", len(window[:stop].rstrip(_FRAME))
    if exact:
        line = front.rpartition(b"\n")[2]
        length = bare_end(window, line, exact=True, alone=not line.strip(b" \t-").count(b" "))
        given = line.rstrip()[-1:] in _GIVES
        return b"", length if given else len(window[:length].rstrip(b";"))
    bare = BARE.match(window)
    return b"", bare.end() if bare else 0


def _name(candidate: Candidate) -> bytes:
    """What the pattern calls ``name`` where it finds this value."""
    pattern = compiled(candidate.rule.pattern)
    if "name" not in pattern.groupindex:
        return _NAMELESS
    width = width_of(candidate.rule.pattern)
    at, until = max(0, candidate.start - width), candidate.start + width + _MARGIN
    while match := pattern.search(candidate.data, at, until):
        if match.start("value") == candidate.start:
            return match["name"].strip()
        at = match.start() + 1
    return _NAMELESS

"""What the screen dismisses, the full judgement would dismiss too."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.scanner.detectors.candidate import Candidate, Disposition
from stanch.scanner.detectors.context.generic import check_assignment
from stanch.scanner.detectors.context.screen import HEAD, is_expression
from stanch.scanner.detectors.matching.confirm import everywhere
from stanch.scanner.model.rule import Rule

_PATHS = ("app/main.py", "deploy/.env", "conf/app.yaml", "src/a.min.js", "tests/test_a.py", "x.txt")
_NAMES = ("password", "DB_PASSWORD", "self.token", "apiKey", "client_secret", "x-api-key", "seed")
_AHEAD = ("", "  ", "f(a, ", 'f("a", ', "'", '"', "# ", "-e ", "<", "it's ", "`", "\\n", "export ")
_CLOSING = ("", '"', "'", "]", '"]', "&quot;", '\\"')
_OPERATORS = ("=", " = ", ": ", ":=", " => ", ">", "!=", "==", " ?= ", "||=", "->", ":", " -> ")
_QUOTES = ("", '"', "'", "`", "&#39;", 'f"', '\\"')
_VALUES = st.one_of(
    st.sampled_from(
        (
            *("None", "value", "self.token", "get(x)", "d[0]", "a::b", "a->b", "12345", "abc"),
            *("hunter2", "Winter2024!", "s3cr3t.word", "$HOME", "{x}", "a.b.c", "x&y", "p\\n1"),
        )
    ),
    st.text("abzAZ09_.:$-&(\\[{", min_size=1, max_size=14),
)
_BEHIND = st.sampled_from(("", "\n", ",", ")", ";", " x", '"', "'", "<", "(", "[", "}", "|", "`"))


@st.composite
def _lines(draw: st.DrawFn) -> bytes:
    """One assignment in some language, or nearly one."""
    parts = (_AHEAD, _NAMES, _CLOSING, _OPERATORS, _QUOTES)
    text = "".join(draw(st.sampled_from(each)) for each in parts)
    return ("x = 1\n" + text + draw(_VALUES) + draw(_BEHIND)).encode()


@settings(max_examples=1500, deadline=None)
@given(data=_lines(), path=st.sampled_from(_PATHS))
def test_what_is_dismissed_is_no_assignment_of_a_secret(
    rules: tuple[Rule, ...], data: bytes, path: str
) -> None:
    rule = next(each for each in rules if each.id == "generic-assignment")
    for place in everywhere(rule, data):
        if is_expression(data, place.begin, place.end, path):
            candidate = Candidate(
                rule=rule, data=data, start=place.start, end=place.end, path=path, now=0.0
            )
            assert check_assignment(candidate).fate is Disposition.ABSENT


@pytest.mark.parametrize(
    "line",
    [b"token = self.issue(user)", b"f(password=password, user=user)", b"    secret = keys[0]\n"],
)
def test_calls_and_variables_are_dismissed(rules: tuple[Rule, ...], line: bytes) -> None:
    rule = next(each for each in rules if each.id == "generic-assignment")
    places = everywhere(rule, line)
    assert places
    assert all(is_expression(line, each.begin, each.end, "app/main.py") for each in places)


def test_the_pattern_ends_with_the_head_of_the_value(rules: tuple[Rule, ...]) -> None:
    rule = next(each for each in rules if each.id == "generic-assignment")
    match = re.compile(rule.pattern.encode()).search(b"password = Zk8vQx2mPw9")
    assert match
    assert match.end(1) - match.start(1) == HEAD
    assert match.end() == match.end(1)

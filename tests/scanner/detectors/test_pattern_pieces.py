"""A pattern in pieces matches where the pattern does, and each piece begins with certain bytes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.scanner.detectors.matching.pattern import compiled
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.compile import expression
from stanch.scanner.detectors.ruleset.hyperscan_rewrite import has_text, least, pieces
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from tests.scanner.detectors.random_pattern import PATTERNS, TEXTS


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (rb"a[bc]x{9}", [rb"a\x62x{9}", rb"a\x63x{9}"]),
        (rb"([ab][01]\d)", [rb"\x61\x30\d", rb"\x61\x31\d", rb"\x62\x30\d", rb"\x62\x31\d"]),
        (rb"(?<!x)(?:[ab]c|\*)=\d", [rb"(?<!x)\x61c=\d", rb"(?<!x)\x62c=\d", rb"(?<!x)\*=\d"]),
        (
            rb"(?:(?<!x)|(?<=\\n))y[ab]{2,}",
            [rb"(?:(?<!x)|(?<=\\n))y\x61[ab]{1,}", rb"(?:(?<!x)|(?<=\\n))y\x62[ab]{1,}"],
        ),
        (
            rb"[ab]{3}",
            [rb"\x61\x61[ab]{1}", rb"\x61\x62[ab]{1}", rb"\x62\x61[ab]{1}", rb"\x62\x62[ab]{1}"],
        ),
        (rb"[ab]{1,3}c\d", None),
        (rb"key[ab]", None),  # has text to look for
        (rb"[0-9a-f]{32}", None),  # too many
        (rb"a?[bc]d", None),  # nothing is certain
        (rb"(?:ab|c){2}\d", None),
        (rb"a", None),
        (rb"", None),
        (
            rb"(?m)^(?:\w{2}[ ]on|[a-f]{1,9}:)\d",
            [rb"(?m)^(?:\w{2}[ ]on)\d", rb"(?m)^(?:[a-f]{1,9}:)\d"],
        ),
        (rb"(?:\w{2}:|[a-f]{1,9}:)\d", None),  # none has text
    ],
)
def test_a_pattern_without_text_is_taken_apart_where_it_begins(
    pattern: bytes, expected: list[bytes] | None
) -> None:
    assert pieces(pattern) == (expected or [pattern])


#: Rules of which no two bytes are certain; each of them has a form that Hyperscan passes quickly.
_WITHOUT_TEXT = {
    "facebook-app-token": "digits and a bar",
    "infobip-api-key": "groups of hexadecimal digits",
    "secret-file": "only at the beginning of a content",
    "server-user-line": "a bracket at the beginning of a line",
    "uptimerobot-api-key": "digits and a hyphen",
    "webex-bot-token": "groups of letters and digits",
}


def test_what_hyperscan_looks_for_has_text_in_every_alternative() -> None:
    """One alternative without text made the pass over all rules slower by half."""
    bare = {
        rule.id
        for rule in load_builtin()
        if not all(map(has_text, pieces(least(expression(rule)))))
    }
    assert bare == set(_WITHOUT_TEXT)


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (rb"\d{4}ab", True),
        (rb"(?:ab|\d{4}cd)\w", True),
        (rb"(?:ab|\d{4})\w", False),
        (rb"(?:ab)?\w", False),
        (rb"(?=ab)\w", False),
        (rb"a(?<=a)b", True),
        (rb"ab?c", False),
        (rb"[ ]\t\w", True),
    ],
)
def test_text_is_what_no_match_is_without(pattern: bytes, *, expected: bool) -> None:
    assert has_text(pattern) is expected


def test_only_rules_that_need_it_are_in_pieces_and_those_match_what_they_did() -> None:
    taken = 0
    for rule in load_builtin():
        made = [re.compile(each) for each in pieces(rule.pattern.encode())]
        if len(made) == 1:
            continue
        taken += 1
        for number, template in enumerate((*rule.match, *rule.reject)):
            data = generate(template, number)
            whole = compiled(rule.pattern)
            for at in range(len(data)):
                assert bool(whole.match(data, at)) == any(each.match(data, at) for each in made)
    assert 0 < taken < 20


HEADS = st.sampled_from([b"", b"[ab]", b"[ab][ab]", b"(?:[ab]c|a[.])", b"(?<!a)[ab]{2}"])


@given(head=HEADS, rest=PATTERNS, data=TEXTS)
@settings(max_examples=300)
def test_whatever_the_pattern_its_pieces_match_where_it_does(
    head: bytes, rest: bytes, data: bytes
) -> None:
    whole = re.compile(head + rest)
    made = [re.compile(each) for each in pieces(whole.pattern)]
    for at in range(len(data) + 1):
        assert bool(whole.match(data, at)) == any(each.match(data, at) for each in made)

"""What a pattern has at least begins wherever the pattern does, and is never longer."""

from __future__ import annotations

import re
from itertools import islice

import pytest
from hypothesis import given, settings

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.matching.pattern import compiled
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.hyperscan_rewrite import least
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream
from tests.scanner.detectors.random_pattern import PATTERNS, TEXTS


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (rb"key_[a-z]{20,300}", rb"key_[a-z]{20}"),
        (rb"(key_[a-z0-9]{20,})(?![a-z])", rb"(key_[a-z0-9]{20})"),
        (rb"(key_[a-z]{20,60}={0,2})(?![A-Z])", rb"(key_[a-z]{20})"),
        (rb"a(?:\.[a-z]+)*(?=$)", rb"a"),
        (rb"(?:ab){2,3}", rb"(?:ab){2}"),
        (rb"(a[\])]{3,9})", rb"(a[\])]{3})"),
        (rb"a\x41{0,2}", rb"a"),
        (rb"\[a]?", rb"\[a"),
        (rb"foo\{2,3\}", rb"foo\{2,3\}"),
        (rb"(?P<name>a)(?P<value>[^\s]{4})", rb"(?P<name>a)(?P<value>[^\s]{4})"),
        (rb"a(?!b(c)d)", rb"a"),
        (rb"x{0,3}", rb"x{0,3}"),
        (rb"(a|b{0,2})", rb"(a|b{0,2})"),
        (rb"", rb""),
    ],
)
def test_repetition_at_the_end_is_cut(pattern: bytes, expected: bytes) -> None:
    assert least(pattern) == expected


def test_it_begins_at_every_match_of_every_rule_and_ends_within() -> None:
    for rule in load_builtin():
        short = re.compile(least(rule.pattern.encode()))
        for number, template in enumerate((*rule.match, *rule.reject)):
            data = generate(template, number)
            for whole in compiled(rule.pattern).finditer(data):
                found = short.match(data, whole.start())
                assert found is not None, (rule.id, template)


@given(pattern=PATTERNS, data=TEXTS)
@settings(max_examples=300)
def test_whatever_the_pattern_it_begins_where_the_pattern_does(pattern: bytes, data: bytes) -> None:
    short, whole = re.compile(least(pattern)), re.compile(pattern)
    for at in range(len(data) + 1):
        assert short.match(data, at) or not whole.match(data, at), (pattern, short.pattern)


def test_a_long_run_of_letters_is_met_a_few_times_only(key: FingerprintKey) -> None:
    engine = Engine(load_builtin(), key)
    blob = generate("{base62:2000}", 5) * 50
    events: list[int] = []
    database = engine.prefilter._database
    database.scan(blob, match_event_handler=lambda index, *_: events.append(index))
    assert len(events) < len(blob) / 20
    fragment = Fragment(data=blob, provenance=InStream(path="image.js"))
    assert not list(islice(engine.scan(fragment), 1))

"""The prefilter with its windows finds exactly what ``re`` alone finds."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch import scanner
from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.matching.confirm import confirmed, everywhere
from stanch.scanner.detectors.matching.prefilter import NEAR
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.rule import Rule

_TEMPLATES = sorted({t for rule in load_builtin() for t in (*rule.match, *rule.reject)})
_NOISE = st.one_of(
    st.binary(max_size=40),
    st.text("aA0_-.=:/@\"' \n\\", max_size=60).map(str.encode),
    st.integers(300, 6000).map(lambda n: b"a" * n),
    st.sampled_from([b"password", b"secret=", b"aws", b"AKIA", b"ghp_", b"eyJ", b"://", b"xox"]),
)
_EXAMPLE = st.builds(generate, st.sampled_from(_TEMPLATES), st.integers(0, 99))
_CUT = st.builds(lambda text, n: text[: len(text) * n // 10], _EXAMPLE, st.integers(1, 9))
_SOME = 2000  # bytes
_DATA = st.lists(st.one_of(_NOISE, _EXAMPLE, _CUT), max_size=12).map(b"".join)


def assert_twins(engine: Engine, rules: tuple[Rule, ...], data: bytes) -> None:
    windows = engine.prefilter.windows(data)
    for index, rule in enumerate(rules):
        quick = confirmed(rule, data, windows.get(index, []))
        assert quick == everywhere(rule, data), rule.id


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=_DATA)
def test_prefilter_and_re_agree_on_examples_in_noise(
    engine: Engine, rules: tuple[Rule, ...], data: bytes
) -> None:
    assert_twins(engine, rules, data)


@pytest.mark.parametrize("seed", range(4))
def test_prefilter_and_re_agree_on_one_long_line(
    engine: Engine, rules: tuple[Rule, ...], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - reproducible text, no secret
    pieces = [generate(chance.choice(_TEMPLATES), n).replace(b"\n", b" ") for n in range(60)]
    gaps = [
        chance.choice([b"", b",", b'"', b" " * 9, b"x" * chance.randrange(900)]) for _ in pieces
    ]
    assert_twins(engine, rules, b"".join(a + b for a, b in zip(pieces, gaps, strict=True)))


@pytest.mark.parametrize("seed", range(2))
def test_no_example_is_lost_wherever_it_stands_in_code(
    engine: Engine, rules: tuple[Rule, ...], seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - as above
    code = [each.read_bytes() for each in sorted(Path(scanner.__file__).parent.rglob("*.py"))]
    code = [each for each in code if len(each) > _SOME]
    for index, rule in enumerate(rules):
        for template in (*rule.match, *rule.reject):
            text = chance.choice(code)
            at = chance.choice([0, len(text), chance.randrange(len(text))])
            edge = chance.choice([b"", b"\n", b" ", b'"'])
            example = generate(template, chance.randrange(999))
            data = text[:at] + edge + example + edge + text[at:]
            quick = confirmed(rule, data, engine.prefilter.windows(data).get(index, []))
            assert quick == everywhere(rule, data), (rule.id, template, at)


def test_a_keyword_counts_up_to_its_bound_and_no_further(
    engine: Engine, rules: tuple[Rule, ...]
) -> None:
    found = 0
    for index, rule in enumerate(rules):
        example = generate(rule.match[0], 1) if rule.match else b""
        for place in everywhere(rule, example)[:1] if rule.keywords else ():
            word, value = rule.keywords[0].encode(), example[place.begin : place.end]
            for gap in range(NEAR - len(word) - 2, NEAR + 3):
                space = b"\n" * gap
                for data in (word + space + value + b"\n", b"\n" + value + space + word):
                    windows = engine.prefilter.windows(data).get(index, [])
                    places = everywhere(rule, data)
                    assert confirmed(rule, data, windows) == places, (rule.id, gap)
                    found += len(places)
    assert found

from __future__ import annotations

import pytest

from stanch.scanner.detectors.candidate import Candidate
from stanch.scanner.detectors.context.assignment import read
from stanch.scanner.detectors.engine import MOST_PER_RULE, Engine
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream

_MIB = 1 << 20


def fragment(data: bytes) -> Fragment:
    return Fragment(data=data, provenance=InStream(path="hostile.yml"))


def test_too_many_places_are_cut_off_and_said(engine: Engine) -> None:
    lines = (generate("glpat-{base62:20}{lf}", n) for n in range(MOST_PER_RULE + 10))
    scanned = engine.examine(fragment(b"".join(lines)))
    assert len(scanned.matches) == MOST_PER_RULE
    (gap,) = scanned.gaps
    assert gap.incomplete
    assert gap.path == "hostile.yml"
    assert "gitlab-pat" in gap.why


@pytest.mark.parametrize(
    "unit",
    [
        b"password=",
        b"-----BEGIN RSA PRIVATE " + b"KEY-----",
        b"eyJhbGciOiJ.eyJhbGci",
        b"postgres://a:",
        b"AKIA" + b"A" * 16,
        b"secret_key" + b"a" * 40,
        b"'" + b"pass" * 3 + b"' => '\\'",
        b"-",
        b"\n",
        b"\x00",
        b"password='" + b"name" * 40,
    ],
)
def test_a_mebibyte_of_one_thing_is_scanned_to_the_end(engine: Engine, unit: bytes) -> None:
    engine.examine(fragment((unit * (_MIB // len(unit) + 1))[:_MIB]))


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("API_KEY=", False),
        ("api_key:x1", False),
        ("SECRET={base62:24}", False),
        ("{base62:9}", True),
    ],
)
def test_what_assigns_again_and_again_is_no_value(unit: str, *, value: bool) -> None:
    """Each of its names would have a value as long as any: forty milliseconds for a kilobyte."""
    (rule,) = (each for each in load_builtin() if each.id == "generic-assignment")
    data = b"token=" + generate(unit, 7) * 80 + b"\n"
    candidate = Candidate(rule=rule, data=data, start=6, end=10, path="hostile.txt", now=0)
    assert (read(candidate) is not None) is value


def test_a_long_value_without_an_end_is_found(engine: Engine) -> None:
    (match,) = engine.examine(fragment(b"password: " + generate("{base62:600}", 7))).matches
    assert match.finding.rule == "generic-assignment"


def test_nothing_is_found_in_nothing(engine: Engine) -> None:
    assert engine.examine(fragment(b"")).matches == ()

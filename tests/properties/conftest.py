"""Fuzzing: claims that hold for any bytes, tried with the same bytes in every run.

``STANCH_FUZZ`` multiplies the number of inputs (``make fuzz`` does it). How many there were is
printed at the end of the run (``tests/conftest.py``).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.scanner.api import FingerprintKey, Scanner, SecretValue, builtin_rules
from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.rule import Rule

Fuzz = Callable[..., None]
_TIMES = int(os.environ.get("STANCH_FUZZ", "1"))
_MAGIC = (
    b"", b"\0", b"\n", b"\r\n", b"\xff\xfe", b"\xed\xa0\x80", b"=", b"==", b".", b"..", b":", b"{",
    b"}", b"[[", b'"', b"'", b"-----", b"eyJ", b"A" * 50, b"%3D", b"\\u00", b"\\", b" ", b"/", b"_",
    b"9" * 5000, b"1e999", b"-1", b"null", b"&a *a", b"<<: ", b"\x1e", b"\x85", b"{0,99999}",
)  # fmt: skip


@pytest.fixture
def fuzz(record_property: Callable[[str, object], None]) -> Fuzz:
    """Holds a claim against so many inputs, drawn from strategies."""

    def run(claim: Callable[..., None], *strategies: st.SearchStrategy[Any], inputs: int) -> None:
        tried = 0

        @settings(
            max_examples=inputs * _TIMES,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(st.tuples(*strategies))
        def hold(drawn: tuple[object, ...]) -> None:
            nonlocal tried
            tried += 1
            claim(*drawn)

        hold()
        record_property("fuzzed", tried)

    return run


@pytest.fixture(scope="session")
def rules() -> tuple[Rule, ...]:
    return tuple(builtin_rules())


@pytest.fixture(scope="session")
def engine(rules: tuple[Rule, ...]) -> Engine:
    return Engine(rules, FingerprintKey(SecretValue(bytes(range(32)))), clock=lambda: 1.8e9)


@pytest.fixture(scope="session")
def scanner() -> Scanner:
    return Scanner(key=FingerprintKey(SecretValue(bytes(range(32)))), processes=1)


@pytest.fixture(scope="session")
def damaged() -> Callable[[Sequence[bytes]], st.SearchStrategy[bytes]]:
    """Gives a strategy: one of the wholes with pieces cut out, doubled, moved and exchanged."""

    def strategy(wholes: Sequence[bytes]) -> st.SearchStrategy[bytes]:
        edit = st.tuples(
            st.integers(0, 1 << 16),
            st.integers(0, 60),
            st.one_of(st.sampled_from(_MAGIC), st.binary(max_size=4), st.integers(0, 1 << 16)),
        )
        return st.builds(_edited, st.sampled_from(wholes), st.lists(edit, max_size=5))

    return strategy


def _edited(whole: bytes, edits: list[tuple[int, int, bytes | int]]) -> bytes:
    data = bytearray(whole)
    for at, size, new in edits:
        start = at % (len(data) + 1)
        if isinstance(new, int):  # a piece of its own
            begin = new % (len(data) + 1)
            data[start : start + size] = data[begin : begin + size]
        else:
            data[start : start + size] = new
    return bytes(data)


@pytest.fixture(scope="session")
def examples(rules: tuple[Rule, ...]) -> list[bytes]:
    """What the rules' own templates make, found or not."""
    templates = sorted({each for rule in rules for each in (*rule.match, *rule.reject)})
    return [generate(each, 1) for each in templates]

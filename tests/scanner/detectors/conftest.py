"""One engine over the built-in rules."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
from stanch.scanner.model.finding import Match
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream
from stanch.scanner.model.rule import Rule
from stanch.scanner.model.secret import SecretValue

Scan = Callable[..., list[Match]]


@pytest.fixture(scope="session")
def key() -> FingerprintKey:
    return FingerprintKey(SecretValue(b"\x07" * 32))


@pytest.fixture(scope="session")
def rules() -> tuple[Rule, ...]:
    return load_builtin()


@pytest.fixture(scope="session")
def engine(rules: tuple[Rule, ...], key: FingerprintKey) -> Engine:
    return Engine(rules, key, clock=lambda: 1_800_000_000.0)


@pytest.fixture(scope="session")
def scan(engine: Engine) -> Scan:
    def scan(data: bytes, path: str = "app.env", first_line: int = 1) -> list[Match]:
        place = InStream(path=path)
        return list(engine.scan(Fragment(data=data, provenance=place, first_line=first_line)))

    return scan

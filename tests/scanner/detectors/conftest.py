"""One engine over the built-in rules, with a cache of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

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


@pytest.fixture(scope="session", autouse=True)
def cache_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(home))
        yield home / "stanch"


@pytest.fixture(scope="session")
def key() -> FingerprintKey:
    return FingerprintKey(SecretValue(b"\x07" * 32))


@pytest.fixture(scope="session")
def rules(cache_home: Path) -> tuple[Rule, ...]:
    assert cache_home.name == "stanch"
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

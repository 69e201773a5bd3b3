from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from stanch import scanner
from stanch.scanner.detectors.engine import Engine
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset import manifest
from stanch.scanner.detectors.ruleset.compile import prepare
from stanch.scanner.detectors.ruleset.ruleset import load
from stanch.scanner.detectors.text import regex_cache
from stanch.scanner.detectors.text.regex_cache import Shelf
from stanch.scanner.hook.main import run
from stanch.scanner.local import cache
from stanch.scanner.model.fingerprint import FingerprintKey
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream

RULES = Path(scanner.__file__).parent / "rules" / "aws.yaml"


@pytest.fixture
def count(key: FingerprintKey, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """What is found by an engine that begins with nothing but the cache."""

    def counted() -> int:
        for name in ("own", "rules"):
            monkeypatch.setattr(regex_cache, f"_{name.upper()}", Shelf(name))
        data = generate("{aws_key_id}", 1)
        fragment = Fragment(data=data, provenance=InStream(path="x"))
        return len(list(Engine(load([RULES]), key).scan(fragment)))

    return counted


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "stanch"


def test_compiled_rules_are_kept_for_the_user_alone(home: Path, count: Callable[[], int]) -> None:
    assert count() == 1
    kept = {path.name.split("-")[0] for path in home.iterdir()}
    assert kept == {"outline", "prefilter", "regex", "rules"}
    assert home.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in home.iterdir()} == {0o600}
    before = {path.name: path.stat().st_mtime_ns for path in home.iterdir()}
    assert count() == 1
    assert before == {path.name: path.stat().st_mtime_ns for path in home.iterdir()}


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\x00" * 5000])
def test_a_broken_cache_is_made_anew_without_a_word(
    home: Path, count: Callable[[], int], damage: bytes
) -> None:
    count()
    for path in home.iterdir():
        path.write_bytes(damage)
    assert count() == 1
    assert all(len(path.read_bytes()) > 500 for path in home.iterdir())
    assert all(path.read_bytes() != damage for path in home.iterdir())


def test_a_single_changed_bit_is_noticed(home: Path, count: Callable[[], int]) -> None:
    count()
    whole = {path: path.read_bytes() for path in home.iterdir()}
    for path, content in whole.items():
        at = len(content) // 2
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert count() == 1
    assert {path: path.read_bytes() for path in home.iterdir()} == whole


def test_a_valid_checksum_over_nonsense_is_no_database(
    home: Path, count: Callable[[], int]
) -> None:
    count()
    for path in home.iterdir():
        assert cache.write(home, path.name, b"nonsense")
    assert count() == 1


def test_what_others_may_write_is_not_read(home: Path) -> None:
    assert cache.write(home, "entry", b"body")
    assert cache.read(home, "entry") == b"body"
    (home / "entry").chmod(0o666)
    assert cache.read(home, "entry") is None


def test_a_link_is_not_followed(home: Path) -> None:
    assert cache.write(home, "entry", b"body")
    (home / "link").symlink_to(home / "entry")
    assert cache.read(home, "link") is None


def test_without_a_home_everything_works_uncached(
    monkeypatch: pytest.MonkeyPatch, count: Callable[[], int]
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    assert cache.directory() is None
    assert cache.write(None, "entry", b"body") is False
    assert count() == 1


def test_a_folder_that_cannot_be_made_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, count: Callable[[], int]
) -> None:
    (tmp_path / "stanch").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert count() == 1


def test_rules_are_compiled_before_they_are_needed_and_it_is_said(
    home: Path, count: Callable[[], int]
) -> None:
    told: list[str] = []
    for _ in range(2):
        prepare(load([RULES]), lambda: told.append("compiling"))
    assert told == ["compiling"]
    before = {path.name for path in home.iterdir() if path.name.startswith("prefilter")}
    count()
    assert before <= {path.name for path in home.iterdir()}
    assert load([RULES]).outline is not None


def test_installing_hooks_compiles_the_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    monkeypatch.setattr(manifest, "builtin", lambda: [str(RULES)])
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert run(["install"], os.environ, tmp_path) == 0
    assert "compiling the rules" in capsys.readouterr().err
    assert list((tmp_path / "cache" / "stanch").glob("prefilter-*"))

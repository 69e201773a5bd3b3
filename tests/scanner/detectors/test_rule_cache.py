from __future__ import annotations

from pathlib import Path

import pytest

from scanner.detectors import cache
from scanner.detectors.engine import Engine
from scanner.detectors.example import generate
from scanner.detectors.ruleset import load_builtin
from scanner.model.fingerprint import FingerprintKey
from scanner.model.fragment import Fragment
from scanner.model.provenance import InStream


def count(key: FingerprintKey) -> int:
    data = generate("{aws_key_id}", 1)
    fragment = Fragment(data=data, provenance=InStream(path="x"))
    return len(list(Engine(load_builtin(), key).scan(fragment)))


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    return tmp_path / "stanch"


def test_compiled_rules_are_kept_for_the_user_alone(home: Path, key: FingerprintKey) -> None:
    assert count(key) == 1
    kept = {path.name.split("-")[0] for path in home.iterdir()}
    assert kept >= {"outline", "prefilter", "rules"}
    assert home.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in home.iterdir()} == {0o600}
    before = {path.name: path.stat().st_mtime_ns for path in home.iterdir()}
    assert count(key) == 1
    assert before == {path.name: path.stat().st_mtime_ns for path in home.iterdir()}


@pytest.mark.parametrize("damage", [b"", b"garbage", b"\x00" * 5000])
def test_a_broken_cache_is_made_anew_without_a_word(
    home: Path, key: FingerprintKey, damage: bytes
) -> None:
    count(key)
    for path in home.iterdir():
        path.write_bytes(damage)
    assert count(key) == 1
    assert all(len(path.read_bytes()) > 500 for path in home.iterdir())
    assert all(path.read_bytes() != damage for path in home.iterdir())


def test_a_single_changed_bit_is_noticed(home: Path, key: FingerprintKey) -> None:
    count(key)
    whole = {path: path.read_bytes() for path in home.iterdir()}
    for path, content in whole.items():
        at = len(content) // 2
        path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    assert count(key) == 1
    assert {path: path.read_bytes() for path in home.iterdir()} == whole


def test_a_valid_checksum_over_nonsense_is_no_database(home: Path, key: FingerprintKey) -> None:
    count(key)
    for path in home.iterdir():
        assert cache.write(home, path.name, b"nonsense")
    assert count(key) == 1


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
    monkeypatch: pytest.MonkeyPatch, key: FingerprintKey
) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME")
    assert cache.directory() is None
    assert cache.write(None, "entry", b"body") is False
    assert count(key) == 1


def test_a_folder_that_cannot_be_made_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: FingerprintKey
) -> None:
    (tmp_path / "stanch").write_text("a file where the folder should be")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert count(key) == 1

"""One content, one rule, one archive: none takes more time or memory than it is allowed."""

from __future__ import annotations

import io
import re
import struct
import tarfile
import time
import tracemalloc
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.api import FingerprintKey, Fragment, Gap, InStream, SecretValue
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.ruleset import load_builtin, with_texts
from stanch.scanner.local.time_limit import OverTimeError, paused, within
from stanch.scanner.scan import engine as scan_engine
from stanch.scanner.scan.engine import ScanEngine
from stanch.scanner.sources.content import archive
from stanch.scanner.suppression.baseline import Baseline
from stanch.scanner.suppression.digest import Recipe
from tests.scanner.own_rule import OWN_RULE

_KEY = FingerprintKey(SecretValue(bytes(32)))
_PLACE = InStream(path="a.bin")


def _fragment(data: bytes) -> Fragment:
    return Fragment(data=data, provenance=InStream(path="app.py"))


def test_a_pattern_that_never_ends_is_ended() -> None:
    with pytest.raises(OverTimeError):
        within(0.1, lambda: re.match(r"(a|aa)+$", "a" * 60 + "b"))
    assert within(5, lambda: 1) == 1


def test_what_swallows_the_interruption_is_over_time_all_the_same() -> None:
    def stubborn() -> int:
        end = time.process_time() + 0.5
        while time.process_time() < end:
            try:
                sum(range(10_000))
            except BaseException:  # noqa: BLE001, S112  # as a careless library does
                continue
        return 1

    with pytest.raises(OverTimeError):
        within(0.1, stubborn)


def test_what_is_paused_costs_nothing() -> None:
    def work() -> int:
        with paused():
            end = time.process_time() + 0.3
            while time.process_time() < end:
                sum(range(1000))
        return 1

    assert within(0.2, work) == 1


def _slow_rule() -> bytes:
    """A rule that passes the loader and takes for ever over 400 bytes."""
    slow = r"q(?:a|aa){1,300}!(?![0])"
    return (
        OWN_RULE.replace("token: 'acme_[0-9a-f]{32}'", f"pattern: '{slow}'")
        .replace('["acme_{hex:32}"]', "null")
        .encode()
    )


def test_an_own_rule_that_takes_for_ever_is_a_gap_with_its_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(scan_engine, "SECONDS", 0.3)
    engine = ScanEngine(with_texts([("acme.yaml", _slow_rule())]), _KEY)
    flood = _fragment(b"q" + b"a" * 400 + b"! " * 3 + b"q" + b"a" * 400 + b"!0")
    began = time.process_time()
    scanned = engine.examine(flood)
    assert time.process_time() - began < 3
    (gap,) = scanned.gaps
    assert gap.incomplete
    assert "acme-token" in gap.why
    # Whoever comes behind is judged still, with less time.
    token = generate("ghp_{base62:30}{crc32_base62}", 1)
    assert [m.finding.rule for m in engine.examine(_fragment(b"k=" + token)).matches]


def test_a_table_of_passwords_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scan_engine, "SECONDS", 0.5)
    monkeypatch.setattr(scan_engine, "SECONDS_PER_MEBIBYTE", 0.0)
    engine = ScanEngine(load_builtin(), _KEY)
    began = time.process_time()
    scanned = engine.examine(_fragment(b"user,password\n" * 4000))
    assert time.process_time() - began < 5
    assert not scanned.matches


def test_an_ordinary_megabyte_is_far_within_its_time() -> None:
    engine = ScanEngine(load_builtin(), _KEY)
    text = b"def area(width, height):  # see https://example.org/a?b=c\n    return width * height\n"
    began = time.process_time()
    assert engine.examine(_fragment(text * (1_000_000 // len(text)))).gaps == ()
    assert time.process_time() - began < 2


def _read(data: bytes) -> list[Any]:
    return list(archive.members(io.BytesIO(data), _PLACE))


def _gaps(data: bytes) -> list[str]:
    return [each.why for each in _read(data) if isinstance(each, Gap) and each.incomplete]


def _tar(*names: str, form: int = tarfile.GNU_FORMAT) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as made:
        for name in names:
            info = tarfile.TarInfo(name)
            info.size = 5
            made.addfile(info, io.BytesIO(b"hello"))
    return out.getvalue()


def test_a_whole_tar_has_no_gap() -> None:
    assert _gaps(_tar("a", "b", "c")) == []
    assert _gaps(_tar("a" * 300, "b", form=tarfile.PAX_FORMAT)) == []


@pytest.mark.parametrize("at", [1024, 2048])
def test_what_stands_behind_a_broken_header_is_said(at: int) -> None:
    data = bytearray(_tar("a", "b", "c"))
    data[at : at + 8] = b"\xff" * 8
    assert _gaps(bytes(data)) == ["damaged archive: tar has a header with a wrong checksum"]


def test_a_tar_that_ends_early_or_late_is_said() -> None:
    whole = _tar("a", "b")
    assert _gaps(whole[:2048])
    assert _gaps(whole + _tar("c"))


def test_a_name_of_a_tar_is_not_gigabytes() -> None:
    head = tarfile.TarInfo("x")
    head.type, head.size = tarfile.XHDTYPE, 900 << 20
    tracemalloc.start()
    try:
        assert "header of more than" in _gaps(head.tobuf() + bytes(1 << 20))[0]
        assert tracemalloc.get_traced_memory()[1] < 64 << 20
    finally:
        tracemalloc.stop()


def test_a_directory_of_a_zip_is_not_megabytes() -> None:
    entry = struct.pack("<4s6H3L5H2L", b"PK\1\2", 20, 20, *[0] * 4, 0, 0, 0, 2, *[0] * 4, 0, 0)
    directory = (entry + b"a/") * 100_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, len(directory), 8, 0)
    assert "directory of more than" in _gaps(b"PK\3\4" + bytes(4) + directory + end)[0]


def test_folders_count_as_members(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive, "_MEMBERS", 10)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        for number in range(20):
            made.writestr(f"d{number}/", b"")
    assert "members" in _gaps(out.getvalue())[0]


def test_what_only_the_directory_calls_encrypted_is_read() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a.txt", b"hello")
    data = bytearray(out.getvalue())
    data[data.index(b"PK\1\2") + 8] |= 1
    pieces = [each.data for each in _read(bytes(data)) if isinstance(each, Fragment)]
    assert pieces == [b"hello"]
    data[6] |= 1
    assert [each.why for each in _read(bytes(data))] == ["encrypted"]


def test_members_without_content_are_not_unpacked_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "SECONDS", 0.2)
    packer = zlib.compressobj(wbits=31)
    empty = packer.compress(b"") + packer.flush()
    began = time.process_time()
    assert "takes longer" in _gaps(empty * 200_000)[0]
    assert time.process_time() - began < 3


def test_a_change_does_not_pick_the_price_of_its_waivers() -> None:
    heavy = Recipe(salt="ab" * 16, memory=262_144, passes=10)
    both = Baseline(recipes=(Recipe(salt="cd" * 16), heavy))
    assert both.modest().recipes == (Recipe(salt="cd" * 16),)


def test_a_gitignore_of_stars_is_matched_in_no_time(
    tmp_path: Path, scan: Callable[..., Any]
) -> None:
    (tmp_path / ".gitignore").write_text("".join(f"*a*b{number}\n" for number in range(40)))
    for number in range(50):
        (tmp_path / ("a" * 200 + str(number))).write_text("x")
    began = time.process_time()
    assert not scan(tmp_path).incomplete
    assert time.process_time() - began < 5

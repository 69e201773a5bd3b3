from __future__ import annotations

import gzip
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stanch.scanner.model.fragment import Fragment, Gap
from stanch.scanner.model.provenance import InStream
from stanch.scanner.sources.content import archive
from tests.scanner.sources.archive_sample import tarred, zipped

Scan = Callable[..., Any]
Token = Callable[[int], str]


def test_members_are_found_with_the_way_to_them(tmp_path: Path, scan: Scan, token: Token) -> None:
    inner = zipped({"deep/x.env": f"\nT={token(1)}".encode()})
    (tmp_path / "a.jar").write_bytes(zipped({"in/b.zip": inner, "c.txt": token(2).encode()}))
    (tmp_path / "d.tar.gz").write_bytes(gzip.compress(tarred({"e/f.py": token(3).encode()})))
    (tmp_path / "g.log.gz").write_bytes(gzip.compress(token(4).encode()))
    outcome = scan(tmp_path)
    assert sorted(outcome.places) == [
        ("a.jar!c.txt", 1),
        ("a.jar!in/b.zip!deep/x.env", 2),
        ("d.tar.gz!d.tar!e/f.py", 1),
        ("g.log.gz!g.log", 1),
    ]
    assert not outcome.incomplete


def test_a_bomb_is_bounded_and_the_scan_incomplete(
    tmp_path: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_BYTES", 1 << 20)
    (tmp_path / "bomb.zip").write_bytes(zipped({"zeros": bytes(50 << 20)}))
    (tmp_path / "bomb.gz").write_bytes(gzip.compress(b"a" * (50 << 20)))
    assert [gap.path for gap in scan(tmp_path).incomplete] == ["bomb.gz", "bomb.zip"]


def test_depth_and_members_are_bounded(
    tmp_path: Path, scan: Scan, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = b"x"
    for _ in range(9):
        data = zipped({"n.zip": data})
    (tmp_path / "deep.zip").write_bytes(data)
    monkeypatch.setattr(archive, "_MEMBERS", 20)
    (tmp_path / "many.zip").write_bytes(zipped({f"{n}.txt": b"x" for n in range(30)}))
    whys = [gap.why for gap in scan(tmp_path).incomplete]
    assert "nested deeper" in whys[0]
    assert "members" in whys[1]


def test_a_damaged_archive_is_a_gap(tmp_path: Path, scan: Scan) -> None:
    (tmp_path / "a.zip").write_bytes(zipped({"a.txt": b"hello" * 100})[:-30])
    assert "damaged" in scan(tmp_path).incomplete[0].why


_WHOLE = [
    zipped({"a.txt": b"hello" * 50, "b/c.txt": b"\0\1"}),
    tarred({"a.txt": b"hello" * 50}),
    gzip.compress(tarred({"x": zipped({"y": b"z" * 99})})),
]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    whole=st.sampled_from(_WHOLE),
    edits=st.lists(st.tuples(st.integers(0, 5000), st.binary(max_size=6)), max_size=6),
    cut=st.integers(0, 600),
)
def test_no_damage_makes_an_archive_raise(
    whole: bytes, edits: list[tuple[int, bytes]], cut: int
) -> None:
    data = bytearray(whole)
    for at, new in edits:
        at %= len(data)  # noqa: PLW2901  # into the data
        data[at : at + len(new)] = new
    damaged = bytes(data[: max(1, len(data) - cut)])
    if archive.is_archive(damaged[: archive.LOOKED_AT]):
        for piece in archive.members(io.BytesIO(damaged), InStream(path="x")):
            assert isinstance(piece, Fragment | Gap)

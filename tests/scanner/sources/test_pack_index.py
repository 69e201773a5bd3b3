"""Every object of an index is found where the index says, and no other."""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise
from pathlib import Path

import pytest

from stanch.scanner.sources.pack_index import OddError, PackIndex


def _index(path: Path, offsets: dict[bytes, int]) -> Path:
    """An index of git's version 2, without the sums at its end, which nobody asks for."""
    ids = sorted(offsets)
    fanout = [sum(oid[0] <= byte for oid in ids) for byte in range(256)]
    far = [offset for oid in ids if (offset := offsets[oid]) >> 31]
    near = [
        1 << 31 | far.index(offset) if (offset := offsets[oid]) >> 31 else offset for oid in ids
    ]
    path.write_bytes(
        b"\xfftOc\0\0\0\2"
        + _numbers(fanout, 4)
        + b"".join(ids)
        + _numbers([0] * len(ids), 4)
        + _numbers(near, 4)
        + _numbers(far, 8)
    )
    return path


def _numbers(values: Iterable[int], width: int) -> bytes:
    return b"".join(value.to_bytes(width, "big") for value in values)


def _even(chance: random.Random, number: int) -> bytes:
    return bytes([number % 3]) + chance.randbytes(19)


def _crowded(chance: random.Random, number: int) -> bytes:
    return bytes([7, number % 2 * 255]) + chance.randbytes(18)


@pytest.mark.parametrize("oid", [_even, _crowded])
@pytest.mark.parametrize("few", [0, 512, 5_000])
def test_every_object_is_found_however_ids_are_spread(
    tmp_path: Path, oid: object, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("stanch.scanner.sources.pack_index._FEW", few)
    chance = random.Random(9)  # noqa: S311  # the same every time
    assert callable(oid)
    offsets = {oid(chance, number): chance.randrange(1 << 33) for number in range(3_000)}
    index = PackIndex(str(_index(tmp_path / "pack-1.idx", offsets)))
    for known, offset in offsets.items():
        assert index.offset(known) == offset
    ids = sorted(offsets)
    for one, other in pairwise(ids[:: len(ids) // 50]):
        between = one[:-1] + bytes([one[-1] ^ 1])
        assert index.offset(between) is None
        assert index.offset(one[10:] + other[:10]) is None  # it straddles two others
    assert index.offset(b"\0" * 20) is None
    assert index.offset(b"\xff" * 20) is None
    index.close()


@pytest.mark.parametrize("content", [b"", b"garbage" * 300, b"\xfftOc\0\0\0\2short"])
def test_what_is_no_index_is_left_to_git(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "pack-1.idx"
    path.write_bytes(content)
    with pytest.raises(OddError):
        PackIndex(str(path))

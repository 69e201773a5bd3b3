"""Compressed content: members, frames, padding, and every damage said."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.sources.content.unpacked import DamagedError, unpacked, unpacker
from tests.scanner.sources.archive_sample import tarred

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

Token = Callable[[int], str]
Pack = Callable[[bytes], bytes]

_PACKS: dict[str, Pack] = {
    "gz": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": zstd.compress,
}
_SKIPPABLE = b"\x5a\x2a\x4d\x18\x03\0\0\0toc"


def _read(data: bytes) -> bytes:
    make = unpacker(data[:512])
    assert make is not None
    return unpacked(io.BytesIO(data).read, make).read()


@pytest.mark.parametrize("pack", _PACKS.values(), ids=_PACKS)
def test_members_one_behind_the_other_are_all_read(pack: Pack) -> None:
    data = pack(b"first ") + pack(b"") + pack(b"second" * 100_000)
    assert _read(data) == b"first " + b"second" * 100_000
    assert _read(data + bytes(512)).endswith(b"second")


def test_a_member_may_begin_anywhere() -> None:
    assert _read(gzip.compress(b"x") * 10_000) == b"x" * 10_000


@pytest.mark.parametrize("pack", _PACKS.values(), ids=_PACKS)
def test_what_is_cut_or_has_more_behind_it_raises(pack: Pack) -> None:
    data = pack(b"content " * 1000)
    for damaged in (data[:-3], data + b"more", data + pack(b"x")[:-2], data[: len(data) // 2]):
        with pytest.raises(DamagedError):
            _read(damaged)


@pytest.mark.parametrize("name", ["gz", "bz2", "xz"])
def test_a_wrong_checksum_raises(name: str) -> None:
    data = bytearray(_PACKS[name](bytes(range(256)) * 50))
    data[-6 if name == "gz" else len(data) // 2] ^= 1
    with pytest.raises(DamagedError):
        _read(bytes(data))


def test_frames_without_content_are_passed_over() -> None:
    data = _SKIPPABLE + zstd.compress(b"one ") + _SKIPPABLE + zstd.compress(b"two") + _SKIPPABLE
    assert _read(data) == b"one two"


def test_a_frame_that_wants_much_memory_is_refused() -> None:
    options: Any = {
        zstd.CompressionParameter.window_log: 27,
        zstd.CompressionParameter.content_size_flag: 0,
    }
    packer = zstd.ZstdCompressor(options=options)
    data = packer.compress(b"x" * 100) + packer.flush()
    with pytest.raises(DamagedError):
        _read(data)


def test_zstd_and_small_dense_content_are_opened_in_files(
    tmp_path: Path, scan: Any, token: Token
) -> None:
    (tmp_path / "a.env.zst").write_bytes(zstd.compress(token(1).encode()))
    (tmp_path / "b.tar.zst").write_bytes(
        _SKIPPABLE + zstd.compress(tarred({"c": token(2).encode()}))
    )
    (tmp_path / "d.bz2").write_bytes(bz2.compress(token(3).encode()))
    outcome = scan(tmp_path)
    assert outcome.places == [("a.env.zst!a.env", 1), ("b.tar.zst!b.tar!c", 1), ("d.bz2!d", 1)]
    assert not outcome.incomplete

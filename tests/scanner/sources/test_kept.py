"""What came before a break is looked at, wherever it breaks."""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from stanch.scanner.api import Scanner
from stanch.scanner.sources.content.kept import kept
from tests.scanner.conftest import Outcome, github_token, sorted_out
from tests.scanner.sources.archive_sample import tarred
from tests.scanner.sources.image_sample import Image, Layer, folder, oci_files

_NOISE = random.Random(1).randbytes(6000).hex().encode()  # noqa: S311  # it must not pack well
_TEXT = f"TOKEN={github_token(1)}\n".encode() + _NOISE


class _Breaking(io.RawIOBase):
    def __init__(self) -> None:
        self._pieces: Iterator[bytes] = iter((b"one ", b"two "))

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        del size
        for piece in self._pieces:
            return piece
        raise OSError("broken")


def test_what_was_read_is_given_before_it_raises_and_it_raises_for_good() -> None:
    read = kept(_Breaking())
    assert read(100) == b"one two "
    for _ in range(2):
        with pytest.raises(OSError, match="broken"):
            read(100)


def _found(outcome: Outcome) -> None:
    assert outcome.secrets == [github_token(1)]
    assert outcome.incomplete


def test_of_a_cut_log_the_beginning_is_read(scanner: Scanner, tmp_path: Path) -> None:
    (tmp_path / "job.log.gz").write_bytes(gzip.compress(_TEXT)[:-1500])
    _found(sorted_out(iter(scanner.scan_log(str(tmp_path / "job.log.gz")))))


@pytest.mark.parametrize("size", [len(_TEXT), 3 << 20])
def test_of_a_cut_file_in_a_layer_the_beginning_is_read(
    scanner: Scanner, tmp_path: Path, size: int
) -> None:
    whole = tarred({"a.env": _TEXT + b"x = 1\n" * (size // 6)})
    layer = Layer(tar=whole[: len(whole) - 4096 - size // 4])
    place = folder(tmp_path / "image", oci_files(Image(layers=[layer])))
    _found(sorted_out(iter(scanner.scan_image(str(place)))))


def test_of_a_cut_archive_in_a_tree_the_beginning_is_read(scanner: Scanner, tmp_path: Path) -> None:
    (tmp_path / "a.tgz").write_bytes(gzip.compress(tarred({"a.env": _TEXT}))[:-1500])
    _found(sorted_out(iter(scanner.scan_path(tmp_path))))

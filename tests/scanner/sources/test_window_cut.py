from __future__ import annotations

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream
from stanch.scanner.sources.content.text_or_binary import WINDOW
from stanch.scanner.sources.content.window import MARGIN, fragments

Scan = Callable[..., Any]
Token = Callable[[int], str]


@pytest.mark.parametrize("shift", [-41, -40, -20, -1, 0, 1])
def test_a_secret_across_a_border_is_found_exactly_once(
    tmp_path: Path, scan: Scan, token: Token, shift: int
) -> None:
    before = (b"x" * 79 + b"\n") * (WINDOW // 80 + 1)
    before = before[: WINDOW + shift - 1] + b" "
    content = before + token(1).encode() + b"\n" + b"y\n" * WINDOW
    (tmp_path / "big.txt").write_bytes(content)
    outcome = scan(tmp_path)
    assert outcome.secrets == [token(1)]
    span = outcome.matches[0].finding.span
    assert span.line == before.count(b"\n") + 1
    assert span.column == len(before) - before.rindex(b"\n")


def test_columns_count_from_the_start_of_a_line_longer_than_a_window(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    before = b"x" * (2 * WINDOW + 12345) + b" "
    (tmp_path / "one-line.js").write_bytes(before + token(1).encode() + b" " * 10)
    (match,) = scan(tmp_path).matches
    assert (match.finding.span.line, match.finding.span.column) == (1, len(before) + 1)
    assert match.finding.span.end_column == len(before) + 1 + 40


def test_columns_of_a_credential_s_other_parts_count_from_there_as_well(
    tmp_path: Path, scan: Scan
) -> None:
    before = b"x" * (2 * WINDOW + 12345) + b" "
    pair = [generate(f"{{{each}}}", 3) for each in ("aws_key_id", "aws_secret")]
    line = before + b"id=" + pair[0] + b" aws_secret_access_key=" + pair[1] + b" "
    (tmp_path / "one-line.env").write_bytes(line)
    (match,) = scan(tmp_path).matches
    (other,) = match.finding.also
    assert line[other.column - 1 : other.end_column - 1] == pair[1]


def test_windows_cover_everything_and_stay_small() -> None:
    content = os.urandom(3 * WINDOW + 17).replace(b"\0", b"\n")
    pieces = list(fragments(io.BytesIO(content).read, InStream(path="x")))
    assert all(isinstance(piece, Fragment) for piece in pieces)
    owned = [piece.owned for piece in pieces if isinstance(piece, Fragment)]
    assert [each and each[0] for each in owned][1:] == [each and each[1] for each in owned][:-1]
    assert max(len(p.data) for p in pieces if isinstance(p, Fragment)) <= WINDOW + 2 * MARGIN


def test_a_two_gigabyte_sparse_file_is_read_to_its_end(
    tmp_path: Path, scan: Scan, token: Token
) -> None:
    with (tmp_path / "huge.log").open("wb") as file:
        file.write(b"log\n" * 4000)
        file.seek(2 << 30)
        file.write(b"\nT=" + token(1).encode() + b"\n")
    assert scan(tmp_path).places == [("huge.log", 4002)]


def test_a_sparse_file_that_begins_with_nothing_is_binary(tmp_path: Path, scan: Scan) -> None:
    with (tmp_path / "disk.img").open("wb") as file:
        file.truncate(2 << 30)
    assert [gap.why for gap in scan(tmp_path).gaps] == ["binary"]

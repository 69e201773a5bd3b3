"""Binary files that are read all the same: wide text without a mark, and key stores."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from stanch.scanner.detectors.proof import keystore_generator

Scan = Callable[..., Any]
Token = Callable[[int], str]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_wide_text_without_a_byte_order_mark_is_read(
    tmp_path: Path, scan: Scan, token: Token, encoding: str
) -> None:
    text = f"Windows Registry Editor\r\nkey = {token(1)}\r\n"
    (tmp_path / "export.reg").write_bytes(text.encode(encoding))
    outcome = scan(tmp_path)
    assert outcome.secrets == [token(1)]
    assert outcome.matches[0].finding.span.line == 2


def test_a_key_store_is_read_although_it_is_binary(tmp_path: Path, scan: Scan) -> None:
    content = keystore_generator.pkcs12(random.Random(2))  # noqa: S311  # repeatable
    (tmp_path / "app.p12").write_bytes(content)
    (match,) = scan(tmp_path).matches
    assert (match.finding.kind, match.finding.path) == ("pkcs12", "app.p12")


def test_other_binary_content_stays_unread(tmp_path: Path, scan: Scan, token: Token) -> None:
    noise = random.Random(3).randbytes(600) + b"\0"  # noqa: S311  # repeatable
    (tmp_path / "image.bin").write_bytes(noise + token(1).encode() + noise)
    assert not scan(tmp_path).matches

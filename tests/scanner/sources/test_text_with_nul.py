"""A text in which NULs stand is read; what is no text but for them is binary."""

from __future__ import annotations

import pytest

from stanch.scanner.sources.content.text_or_binary import is_opaque

LINES = b"start of the log\nsecond line of it\n" * 4


@pytest.mark.parametrize(
    "content",
    [
        LINES + bytes(512) + b"more\n",
        bytes(512) + LINES,
        "größer als größer\n".encode() * 8 + b"\0",
        b"{\\rtf1\\ansi some text\\par\n}\0",
    ],
)
def test_a_log_that_was_cut_is_read(content: bytes) -> None:
    assert not is_opaque(content)


@pytest.mark.parametrize(
    "content",
    [
        b"\x7fELF\x02\x01\x01\0" + LINES,
        b"PK\x03\x04" + bytes(8) + LINES,
        LINES.ljust(257, b"\0") + b"ustar" + bytes(200),
        bytes(range(256)) * 4,
        bytes(4096),
    ],
)
def test_a_program_or_an_archive_is_binary(content: bytes) -> None:
    assert is_opaque(content)

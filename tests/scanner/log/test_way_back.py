from __future__ import annotations

import io

from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InLog
from stanch.scanner.sources.log.clean import Cleaned, cleaned
from stanch.scanner.sources.log.shape import PLAIN, SHAPES, Shape
from stanch.scanner.sources.log.step import Steps

PIECES = (
    b"2025-04-07T12:57:33.2904078Z ",
    *(b"2024-05-22T12:12:34.123456Z " + sign for sign in (b"00O ", b"01O ", b"01O+", b"01E+")),
    b"[2024-01-01T00:00:00.000Z] ",
    b"\x1b[8mha:QUJDREVG\x1b[0m",
    b"\x1b[36;1m",
    b"\x1b]0;title\x07",
    b"\x1b_bk;t=1700000000000\x07",
    b"\x1b[",
    b"\r",
    b"\r\n",
    b"\n",
    b"\xef\xbb\xbf",
    b"##[group]Run x",
    b"section_start:1:build",
    b"word",
    b"\0\xff",
)


@given(
    st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join),
    st.sampled_from((*SHAPES, PLAIN)),
    st.integers(1, 2),
)
def test_every_byte_of_the_text_leads_back_to_itself(
    data: bytes, shape: Shape, column: int
) -> None:
    place = InLog(path="x", provider=shape.name)
    raw = Fragment(data=data, provenance=place, first_line=7, first_column=column)
    window = Cleaned(raw, shape, Steps(shape))
    line, at = 7, 1
    seen: list[int] = []
    for byte in window.text:
        offset = window.offset(line, at)
        seen.append(offset)
        assert data[offset] == byte or (data[offset], byte) == (0x0D, 0x0A)
        line, at = (line + 1, 1) if byte == 0x0A else (line, at + 1)
    assert len(set(seen)) == len(seen)


@given(st.lists(st.sampled_from(PIECES), max_size=40).map(b"".join))
def test_no_log_is_too_odd_to_be_read(data: bytes) -> None:
    for piece in cleaned(io.BytesIO(data).read, InLog(path="x", provider="")):
        if isinstance(piece, Fragment):
            piece.at(piece.first_line, 1)

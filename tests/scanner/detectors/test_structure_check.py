"""Checksums, parses and previews, against values worked out by hand or from the vendor's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.detectors.preview import preview
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.structure.aws import account_of
from stanch.scanner.detectors.structure.checksum import crc32_base36, crc32_base62, length_base36
from stanch.scanner.detectors.text.placeholder import is_placeholder
from stanch.scanner.detectors.text.position import LineIndex
from stanch.scanner.detectors.text.wordlike import is_stand_in
from stanch.scanner.model.entropy import entropy
from stanch.scanner.model.rule import PreviewStyle


def test_checksums_are_padded_to_their_width() -> None:
    assert crc32_base62(b"") == b"000000"
    assert crc32_base36(b"") == b"0000000"
    assert crc32_base62(b"123456789") == b"3jZRME"  # CRC-32's check value 0xCBF43926
    assert length_base36(b"x" * 37) == b"11"


def test_the_account_is_read_from_a_key_id() -> None:
    ids = [generate("{aws_key_id}", n) for n in range(50)]
    assert all(len(account_of(key_id) or "") == 12 for key_id in ids)
    assert account_of(b"ASIAQNZGKIQY" + b"56JQ7WML") == "029608264753"
    assert account_of(b"AKIA" + b"0189" * 4) is None


@pytest.mark.parametrize(
    "value",
    [
        *(b"x" * 20, b"abcdefghijklmnop", b"0123456789abcdef", b"abababababababab"),
        *(b"your-token-here", b"12345678901234567890", b"ab" * 9, b"***********", b"AnExample"),
    ],
)
def test_made_up_values_are_placeholders(value: bytes) -> None:
    assert is_placeholder(value)


@given(st.integers(0, 10_000))
def test_issued_values_are_no_placeholders(seed: int) -> None:
    assert not is_placeholder(generate("{base62:36}", seed))


@pytest.mark.parametrize(
    "value", [b"password", b"changeMe", b"my_secret", b"test1234", b"supersecret", b"xxx", b"---"]
)
def test_stand_ins_are_words_about_secrets(value: bytes) -> None:
    assert is_stand_in(value)


@pytest.mark.parametrize("value", [b"hunter2", b"mpghqzb", b"correcthorse", b"S3cr3t!"])
def test_weak_passwords_are_no_stand_ins(value: bytes) -> None:
    assert not is_stand_in(value)


def test_entropy_is_in_bits_a_byte() -> None:
    assert entropy(b"") == 0
    assert entropy(b"aaaa") == 0
    assert entropy(b"abcd") == 2


@given(st.binary(max_size=300), st.sampled_from(PreviewStyle))
def test_a_preview_never_shows_more_than_four_bytes_at_each_end(
    value: bytes, style: PreviewStyle
) -> None:
    shown = preview(value, style)
    assert shown.isprintable()
    assert shown == f"<{len(value)} bytes>" or len(shown) == 9


@given(st.lists(st.binary(max_size=9).filter(lambda line: b"\n" not in line), min_size=1))
def test_lines_and_columns_lead_back_to_the_byte(lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    index = LineIndex(data, 1)
    for offset in range(len(data)):
        span = index.span(offset, offset + 1)
        before = data[:offset]
        assert span.line == before.count(b"\n") + 1 == index.line(offset)
        assert span.column == offset - (before.rfind(b"\n") + 1) + 1


def test_examples_depend_on_template_and_seed_alone() -> None:
    assert generate("a {base62:9} b", 1) == generate("a {base62:9} b", 1)
    assert generate("{base62:9}", 1) != generate("{base62:9}", 2)
    assert generate("{unknown} {a: 1}", 1) == b"{unknown} {a: 1}"

"""Where a value ends: at the quote that opened it, unless that is escaped."""

from __future__ import annotations

import pytest

from stanch.scanner.detectors.context.value_end import BARE, closing


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b"""Xy7"rest""", b"Xy7"),
        (b"""Xy\\"7z" + tail""", b"""Xy\\"7z"""),
        (b"""\\"\\"Xy" """, b"""\\"\\"Xy"""),
    ],
)
def test_an_escaped_quote_belongs_to_the_value(line: bytes, value: bytes) -> None:
    stop = closing(line, b'"')
    assert stop is not None
    assert line[:stop] == value


@pytest.mark.parametrize("line", [b"Xy7", b'"Xy7', b'Xy7\n"', b'Xy7\\"'])
def test_what_is_empty_or_goes_on_past_its_line_has_no_end(line: bytes) -> None:
    assert closing(line, b'"') is None


@pytest.mark.parametrize(
    "behind", [b"&user=ann", b"&amp;x", b"&#39;", b" next", b'"', b")", b"\\n"]
)
def test_a_bare_value_ends_where_the_next_thing_begins(behind: bytes) -> None:
    match = BARE.match(b"Xy&7" + behind)
    assert match is not None
    assert match[0] == b"Xy&7"

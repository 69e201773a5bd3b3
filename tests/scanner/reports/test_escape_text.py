from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.reports.escape import escaped


def test_ordinary_text_of_any_language_is_left_alone() -> None:
    assert escaped("deploy/größe-日本語.env") == "deploy/größe-日本語.env"


def test_control_and_bidirectional_characters_become_visible() -> None:
    assert escaped("a\x1b[1m\u202eb\r\n\udcff") == "a\\x1b[1m\\u202eb\\r\\n\\udcff"


@given(st.text(st.characters()))
def test_nothing_invisible_is_left(text: str) -> None:
    kinds = {unicodedata.category(character) for character in escaped(text)}
    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}

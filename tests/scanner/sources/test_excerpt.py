"""What is cut out of a version shows its lines whole, or says that it does not."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.api import InCommit, Scanner
from stanch.scanner.sources.git.blob_reader import Blob
from stanch.scanner.sources.git.commit_metadata import placed
from stanch.scanner.sources.hunk import around

BLOB = Blob("1" * 40, "a/b.py", "2" * 40)


@pytest.mark.parametrize(
    ("line", "whole"), [(b"x = 1\n", True), (b"x" * 3_000 + b"\n", True), (b"x" * 20_000, False)]
)
def test_only_lines_of_bearable_length_are_shown_whole(line: bytes, *, whole: bool) -> None:
    data = line * (60_000 // len(line))
    excerpt = around(data, 30_000, 30_100, placed, BLOB)
    assert excerpt.whole_lines is whole
    assert len(excerpt.text) < 15_000
    assert around(data, 0, len(data), placed, BLOB).whole_lines


@given(st.lists(st.sampled_from([b"a", b"bc\n", b"\n"]), min_size=1), st.data())
def test_whole_lines_begin_and_end_at_a_border(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces) * 200
    begin = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(begin, len(whole)))
    excerpt = around(whole, begin, end, placed, BLOB)
    if excerpt.whole_lines:
        assert whole[: excerpt.first].endswith(b"\n") or not excerpt.first
        assert excerpt.text.endswith(b"\n") or excerpt.last == len(whole)
    assert excerpt.fragment().provenance == InCommit(
        path="a/b.py", commit="2" * 40, author="", committed_at=placed(BLOB).committed_at
    )


def test_code_is_nothing_to_find_where_the_lines_are_whole(
    scanner: Scanner, token: Callable[[int], str]
) -> None:
    engine = scanner._engine
    code = b"user = None\ntoken = self.issued(user)\n"
    assert engine.may_find(code, None)
    assert not engine.may_find(code, "a/b.py")
    assert engine.may_find(code + f"api = '{token(1)}'\n".encode(), "a/b.py")

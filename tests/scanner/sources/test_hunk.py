"""What is cut out of a version is all that is new in it, and its lines are whole."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.api import Fragment, InCommit
from stanch.scanner.sources.git.blob_reader import Blob
from stanch.scanner.sources.git.commit_metadata import placed
from stanch.scanner.sources.git.common_affix import changes
from stanch.scanner.sources.hunk import hunks

BLOB = Blob("1" * 40, "a/b.py", "2" * 40)
_PIECES = st.lists(
    st.tuples(st.sampled_from([b"a", b"bc\n", b"def = 1\n", b"\n"]), st.integers(1, 3_000)),
    max_size=8,
)


def _text(pieces: list[tuple[bytes, int]]) -> bytes:
    return b"".join(piece * count + b"%d\n" % count for piece, count in pieces)


@given(_PIECES, _PIECES, _PIECES, _PIECES)
def test_what_is_in_no_stretch_stands_in_the_version_before(
    front: list[tuple[bytes, int]],
    old: list[tuple[bytes, int]],
    new: list[tuple[bytes, int]],
    behind: list[tuple[bytes, int]],
) -> None:
    before = _text(front + old + behind + old)
    content = _text(front + new + behind + new)
    found = changes(before, content)
    borders = [0, *(border for stretch in found for border in stretch), len(content)]
    assert borders == sorted(borders)
    for begin, end in zip(borders[::2], borders[1::2], strict=True):
        assert content[begin:end] in before


def test_two_changes_far_apart_are_two_stretches() -> None:
    before = b"".join(b"line %d\n" % number for number in range(20_000))
    content = before.replace(b"line 100\n", b"other\n").replace(b"line 19000\n", b"one more\n" * 9)
    found = changes(before, content)
    assert len(found) == 2
    assert sum(end - begin for begin, end in found) < 3_000


@pytest.mark.parametrize(
    ("line", "whole"), [(b"x = 1\n", True), (b"x" * 3_000 + b"\n", True), (b"x" * 20_000, False)]
)
def test_only_lines_of_bearable_length_are_shown_whole(line: bytes, *, whole: bool) -> None:
    data = line * (60_000 // len(line))
    (hunk,) = hunks(data, [(30_000, 30_100)], placed, BLOB)
    assert hunk.part == (hunk.first, hunk.last)
    assert data[: hunk.first].endswith(b"\n") is whole
    assert hunk.last - hunk.first < 15_000


@given(
    st.lists(st.sampled_from([b"a", b"bc\n", b"\n"]), min_size=1),
    st.lists(st.integers(0, 3_000), min_size=2, max_size=8),
)
def test_hunks_hold_every_change_and_do_not_meet(pieces: list[bytes], at: list[int]) -> None:
    whole = b"".join(pieces) * 200
    borders = sorted(min(each, len(whole)) for each in at)
    stretches = list(zip(borders[::2], borders[1::2], strict=False))
    made = list(hunks(whole, stretches, placed, BLOB))
    for begin, end in stretches:
        assert any(each.first <= begin and end <= each.last for each in made)
    assert all(one.last <= other.first for one, other in pairwise(made))
    assert made[0].fragment() == Fragment(
        data=whole,
        provenance=InCommit(
            path="a/b.py", commit="2" * 40, author="", committed_at=placed(BLOB).committed_at
        ),
    )

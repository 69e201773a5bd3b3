"""What is cut out of a version shows its lines whole, or says that it does not."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.scanner.api import InCommit, Scanner
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.detectors.ruleset.ruleset import load_builtin
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


def test_a_value_counts_by_what_stands_far_away_in_its_document(scanner: Scanner) -> None:
    chain = base64.b64encode(bytes(range(256)) * 40).decode()
    value = base64.b64encode(generate("{password}", 1)).decode()
    whole = f"data:\n  entry: {value}\n  ca.crt: {chain}\nkind: Secret\n".encode()
    begin = whole.index(value.encode())
    excerpt = around(whole, begin, begin + len(value), placed, BLOB)
    assert scanner._engine.may_find(excerpt.text, None)
    matches = scanner._engine.examine(excerpt.fragment()).matches
    found = [(match.finding.rule, match.finding.span.line) for match in matches]
    assert ("kubernetes-secret-manifest", 2) in found


#: What stands close to its name, so that the lines around are enough.
_NEAR = {"name-and-value", "nested-value"}


def test_the_document_of_every_rule_is_looked_at_whole() -> None:
    kinds = [rule for rule in load_builtin() if rule.document and rule.document not in _NEAR]
    assert kinds
    missed = [
        (rule.id, template)
        for rule in kinds
        for template in rule.match
        if not around(generate(template, 1) + b"\n" * 9_000, 0, 1, placed, BLOB).document
    ]
    assert missed == []

"""Every row of a table is judged, once, and a field in quotes keeps its delimiter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stanch.scanner.detectors.context import table_column
from stanch.scanner.detectors.context.generic import judged
from stanch.scanner.detectors.engine import MOST_PER_RULE, Engine
from stanch.scanner.detectors.proof.token_generator import generate
from stanch.scanner.model.finding import Confidence, Match
from stanch.scanner.model.fragment import Fragment
from stanch.scanner.model.provenance import InStream

Scan = Callable[..., list[Match]]


@pytest.mark.parametrize("unit", ["user,password\n", "user,password\nx,required\n"])
def test_a_flood_of_headers_costs_no_row_twice(
    scan: Scan, unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0

    def counted(*args: Any, **options: Any) -> Any:
        nonlocal asked
        asked += 1
        return judged(*args, **options)

    monkeypatch.setattr(table_column, "judged", counted)
    lines = 1000
    scan((unit * (lines // unit.count("\n"))).encode(), "users.csv")
    assert asked <= lines


def test_a_delimiter_within_quotes_belongs_to_the_password(scan: Scan) -> None:
    text = b'user,password,note\nann,"Kq7v,Xzm2W;tR9",first\n'
    (match,) = scan(text, "users.csv")
    assert match.parts["value"].reveal() == b"Kq7v,Xzm2W;tR9"


def test_the_header_above_the_ruler_names_the_column(scan: Scan) -> None:
    text = b"| user | password |\n|------|----------|\n| ann | `Kq7vXzm2WtR9` |\n"
    (match,) = scan(text, "notes.md")
    assert match.parts["value"].reveal() == b"Kq7vXzm2WtR9"


def test_every_row_that_holds_a_password_is_a_finding_however_far_from_the_header(
    scan: Scan,
) -> None:
    passwords = [generate("{password}", seed) for seed in range(3)]
    empty = b"".join(b"user%d,,nothing\n" % n for n in range(2000))
    ann, bob, dan = (
        b'%s,"%s",first\n' % row for row in zip((b"ann", b"bob", b"dan"), passwords, strict=True)
    )
    found = scan(
        b"user,password,note\n" + ann + b"eve,required,\n" + bob + empty + dan, "users.csv"
    )
    sure = [each for each in found if each.finding.confidence is not Confidence.LOW]
    assert [each.parts["value"].reveal() for each in sure] == passwords
    assert {each.finding.span.line for each in sure} == {2, 4, 2005}


def test_more_rows_than_are_judged_are_said(engine: Engine) -> None:
    rows = b"".join(b"user%d,required\n" % n for n in range(MOST_PER_RULE + 1))
    data = b"user,password\n" + rows
    scanned = engine.examine(Fragment(data=data, provenance=InStream(path="users.csv")))
    assert [gap.incomplete for gap in scanned.gaps] == [True]

"""A table is judged once, and a field in quotes keeps its delimiter."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from stanch.scanner.detectors.context import table_column
from stanch.scanner.detectors.context.generic import judged
from stanch.scanner.model.finding import Match

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

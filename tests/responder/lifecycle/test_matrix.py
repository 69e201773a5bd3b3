"""The matrix and its reports: worst first, honest about gaps, and text that stays text."""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from stanch.responder.domain.timeline import Event
from stanch.responder.lifecycle.inventory.consumer import consumers
from stanch.responder.lifecycle.inventory.matrix import Gap, Matrix
from stanch.responder.lifecycle.inventory.report.delimited import delimited
from stanch.responder.lifecycle.inventory.report.document import document
from stanch.responder.lifecycle.inventory.report.page import page
from stanch.responder.lifecycle.inventory.report.picture import ages, owners, states
from stanch.responder.lifecycle.inventory.report.table import table
from stanch.responder.lifecycle.inventory.report.workbook import workbook
from stanch.responder.lifecycle.inventory.row import Row, State, judge
from stanch.responder.lifecycle.model.answer import Described, Listed
from stanch.responder.lifecycle.model.metadata import KEYS
from stanch.responder.lifecycle.model.reference import parse

NOW = datetime(2026, 12, 1, tzinfo=UTC)
TAGS = {name: key.example for name, key in KEYS.items()}
HOSTILE = "=cmd|'/c calc'!A1<script>alert(1)</script>"


def row(
    reference: str | None = "secret://payments/prod/stripe/api-key",
    *,
    deleted: bool = False,
    used: tuple[str, ...] | None = None,
    place: str = "payments/prod/stripe/api-key",
    **tags: str,
) -> Row:
    kept = TAGS | {key.replace("_", "-"): text for key, text in tags.items()}
    described = Described(place=place, tags=kept, deleted_at=NOW if deleted else None)
    listed = Listed(reference=parse(reference) if reference else None, described=described)
    return judge("secrets-manager", listed, now=NOW, consumers=used)


@pytest.mark.parametrize(
    ("made", "state"),
    [
        (row(), State.OK),
        (row(last_rotated="2026-01-01"), State.OVERDUE),
        (row(kind="database", rotation_period="365d", last_rotated="2026-10-01"), State.OVERDUE),
        (row(owner=""), State.UNOWNED),
        (row(tenant=""), State.INCOMPLETE),
        (row(environment="dev"), State.MISPLACED),
        (row(None), State.UNNAMED),
        (row(deleted=True, owner=""), State.DELETED),
    ],
)
def test_an_entry_stands_as_its_metadata_says(made: Row, state: State) -> None:
    assert made.state is state
    assert bool(made.problem) is (state is not State.OK)


def matrix(*rows: Row, gaps: tuple[Gap, ...] = ()) -> Matrix:
    return Matrix(rows=tuple(sorted(rows, key=lambda each: each.order)), gaps=gaps)


WHOLE = matrix(
    row(),
    row("secret://payments/prod/stripe/old", last_rotated="2026-01-01", used=("sdk:web@a",)),
    row("secret://payments/prod/db/password", owner="", used=()),
    row(None, place=HOSTILE, owner=HOSTILE),
    gaps=(Gap(source="openbao", why="no <b>answer</b>"),),
)


def test_a_spreadsheet_calculates_nothing_of_it() -> None:
    cells = [cell for line in csv.reader(io.StringIO(delimited(WHOLE))) for cell in line]
    assert any(cell == f"'{HOSTILE}" for cell in cells)
    assert not any(cell.startswith(("=", "+", "-", "@")) for cell in cells)


def test_json_says_what_nobody_has_looked_at() -> None:
    found = json.loads(document(WHOLE))
    assert not found["complete"]
    assert found["gaps"] == [{"storage": "openbao", "why": "no <b>answer</b>"}]
    used = {str(each["secret"]).rpartition("/")[2]: each["consumers"] for each in found["secrets"]}
    assert (used["api-key"], used["old"], used["password"]) == (None, ["sdk:web@a"], [])


def test_the_table_fits_80_columns_and_shows_no_control_characters() -> None:
    console = Console(file=io.StringIO(), width=80, force_terminal=False)
    console.print(table(matrix(*WHOLE.rows, row(owner="a\x1b[31m" + "b" * 60))))
    assert isinstance(console.file, io.StringIO)
    text = console.file.getvalue()
    assert max(map(len, text.splitlines())) <= 80
    assert "\x1b" not in text
    assert "nobody seen" in text
    assert "not known" in text


def test_the_page_keeps_hostile_text_a_text_and_loads_nothing() -> None:
    made = page(WHOLE, now=NOW)
    assert made == page(WHOLE, now=NOW)
    assert "<script" not in made
    assert "&lt;script&gt;" in made
    assert "no &lt;b&gt;answer" in made
    assert re.findall(r"(?:\bsrc=|href=|url\()", made) == []
    assert made.count("<svg") == len(ages(WHOLE.rows, NOW)) + len(owners(WHOLE.rows))


def test_the_workbook_has_rows_charts_and_no_formula() -> None:
    made = workbook(WHOLE, now=NOW)
    with zipfile.ZipFile(io.BytesIO(made)) as archive:
        names = archive.namelist()
        sheets = [archive.read(f"xl/worksheets/sheet{n}.xml").decode() for n in (1, 2)]
        texts = archive.read("xl/sharedStrings.xml").decode()
    assert sum(name.startswith("xl/charts/chart") for name in names) == 3
    assert not any("<f>" in sheet or "<hyperlink" in sheet for sheet in sheets)
    assert "&lt;script&gt;" in texts
    assert "Not complete: openbao" in texts
    assert sheets[0].count("<row") == len(WHOLE.rows) + 1


def test_an_empty_matrix_is_drawn_too() -> None:
    empty = matrix()
    assert "0 secrets" in page(empty, now=NOW)
    assert workbook(empty, now=NOW).startswith(b"PK")


def test_the_pictures_put_the_worst_first() -> None:
    assert states(WHOLE.rows)[0] == (State.OVERDUE, 1)
    first, *others = ages(WHOLE.rows, NOW)
    assert (first.label, first.said, first.bad) == (
        "payments/prod/stripe/old",
        "334d of 90d",
        True,
    )
    assert first.mark is not None
    assert first.length == 1.0
    assert first.mark == pytest.approx(90 / 334)
    assert not any(each.bad for each in others)
    assert [each.label for each in owners(WHOLE.rows)][:2] == ["nobody", "payments-team"]


def test_a_consumer_is_who_was_given_it_on_which_host() -> None:
    events = [
        Event(
            at=NOW - timedelta(days=n),
            actor=actor,
            action="secret.given",
            incident=None,
            detail={"reference": "secret://a/prod/b/c", "where": where},
        )
        for n, (actor, where) in enumerate(
            [("sdk:web", "host-1/17"), ("sdk:web", "host-1/99"), ("cli:alice", "desk/3")]
        )
    ]
    assert consumers(events) == {"secret://a/prod/b/c": ("cli:alice@desk", "sdk:web@host-1")}

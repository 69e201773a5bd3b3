"""The matrix as a workbook (XLSX): all rows to filter, and a sheet of charts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter

from stanch.responder.lifecycle.inventory.matrix import Matrix
from stanch.responder.lifecycle.inventory.report.cell import COLUMNS
from stanch.responder.lifecycle.inventory.report.picture import ages, owners, states
from stanch.responder.lifecycle.inventory.row import State

_WIDTHS = {"secret": 52, "place": 60, "problem": 60, "consumers": 40, "owner": 20}
_PLAIN = 15  # characters
_BAD, _GOOD = {"font_color": "#B42318", "bold": True}, {"font_color": "#146C43"}


def workbook(matrix: Matrix, *, now: datetime) -> bytes:
    """The file. Every text is a text: no cell is a formula or a link."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out,
        {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        },
    )
    # What changes from one run to the next is said in the sheet, not hidden in the file.
    book.set_properties({"title": "Secrets", "created": now.replace(tzinfo=None)})
    _rows(book, matrix)
    _charts(book, matrix, now)
    book.close()
    return out.getvalue()


def _rows(book: Any, matrix: Matrix) -> None:
    sheet = book.add_worksheet("Secrets")
    head = book.add_format({"bold": True, "bottom": 1})
    for column, name in enumerate(COLUMNS):
        sheet.write_string(0, column, name.replace("_", " "), head)
        sheet.set_column(column, column, _WIDTHS.get(name, _PLAIN))
    bad, good = book.add_format(_BAD), book.add_format(_GOOD)
    for line, row in enumerate(matrix.rows, 1):
        for column, (name, cell) in enumerate(COLUMNS.items()):
            if name == "age" and row.age is not None:
                sheet.write_number(line, column, row.age.days)
                continue
            tone = (good if row.state is State.OK else bad) if name == "state" else None
            sheet.write_string(line, column, cell(row), tone)
    sheet.freeze_panes(1, 2)
    sheet.autofilter(0, 0, max(1, len(matrix.rows)), len(COLUMNS) - 1)


def _charts(book: Any, matrix: Matrix, now: datetime) -> None:
    sheet = book.add_worksheet("Summary")
    sheet.write_string(0, 0, f"{matrix.count} on {now:%Y-%m-%d %H:%M} UTC")
    for line, gap in enumerate(matrix.gaps, 1):
        sheet.write_string(line, 0, f"Not complete: {gap.source}: {gap.why}")
    sheet.set_column(0, 0, 48)
    top = len(matrix.gaps) + 2
    counted = [(str(state), float(count)) for state, count in states(matrix.rows)]
    top = _chart(book, sheet, top, "State", counted)
    owned = [(bar.label, float(bar.said)) for bar in owners(matrix.rows)]
    top = _chart(book, sheet, top, "Owner", owned)
    aged = [(bar.label, bar.length / (bar.mark or 1)) for bar in ages(matrix.rows, now)]
    _chart(book, sheet, top, "Age, 1 is the limit", aged)


def _chart(book: Any, sheet: Any, top: int, title: str, values: Sequence[tuple[str, float]]) -> int:
    """A table with a bar chart beside it; gives the next free line."""
    sheet.write_string(top, 0, title, book.add_format({"bold": True}))
    for line, (name, number) in enumerate(values, top + 1):
        sheet.write_string(line, 0, name)
        sheet.write_number(line, 1, round(number, 3))
    if values:
        chart = book.add_chart({"type": "bar"})
        last = top + len(values)
        chart.add_series(
            {
                "name": title,
                "categories": ["Summary", top + 1, 0, last, 0],
                "values": ["Summary", top + 1, 1, last, 1],
            }
        )
        chart.set_title({"name": title})
        chart.set_legend({"none": True})
        chart.set_y_axis({"reverse": True})
        chart.set_size({"width": 620, "height": max(220, 24 * len(values) + 90)})
        sheet.insert_chart(top, 3, chart)
    return top + max(len(values) * 2, 14) + 2

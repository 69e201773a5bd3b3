"""The matrix as CSV. No cell is a formula."""

from __future__ import annotations

import csv
import io

from stanch.responder.lifecycle.inventory.matrix import Matrix
from stanch.responder.lifecycle.inventory.report.cell import COLUMNS

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def delimited(matrix: Matrix) -> str:
    """One line a row below the names of the columns."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in matrix.rows:
        writer.writerow([plain(cell(row)) for cell in COLUMNS.values()])
    return out.getvalue()


def plain(text: str) -> str:
    """A cell that a spreadsheet shows and does not calculate."""
    return f"'{text}" if text.startswith(_FORMULA) else text

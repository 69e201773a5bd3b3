"""The matrix as one JSON document."""

from __future__ import annotations

import json

from stanch.responder.domain.json import JsonObject
from stanch.responder.lifecycle.inventory.matrix import Matrix
from stanch.responder.lifecycle.inventory.report.cell import COLUMNS
from stanch.responder.lifecycle.inventory.row import Row


def document(matrix: Matrix) -> str:
    """Stable keys; ``consumers`` is null where nobody has looked, ``complete`` says the rest."""
    return json.dumps(
        {
            "complete": matrix.complete,
            "gaps": [{"storage": gap.source, "why": gap.why} for gap in matrix.gaps],
            "secrets": [_row(row) for row in matrix.rows],
        },
        indent=2,
    )


def _row(row: Row) -> JsonObject:
    cells: dict[str, object] = {name: cell(row) or None for name, cell in COLUMNS.items()}
    return {
        **cells,  # type: ignore[dict-item]  # texts and None
        "age": row.age.days if row.age is not None else None,
        "due": row.due_at.isoformat() if row.due_at else None,
        "last_used": row.used_at.isoformat() if row.used_at else None,
        "consumers": list(row.consumers) if row.consumers is not None else None,
    }

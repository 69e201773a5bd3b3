"""The matrix as one self-contained page with pictures; it loads and runs nothing."""

from __future__ import annotations

from datetime import datetime

from jinja2 import Environment, PackageLoader, StrictUndefined

from stanch.responder.lifecycle.inventory.matrix import Matrix
from stanch.responder.lifecycle.inventory.report.cell import COLUMNS
from stanch.responder.lifecycle.inventory.report.picture import ages, owners, states
from stanch.responder.lifecycle.inventory.row import State

_SHOWN = (
    *("state", "secret", "owner", "storage", "classification", "rotation_period", "age", "due"),
    *("consumers", "problem"),
)
_LONG = frozenset({"secret", "owner", "consumers", "problem"})  # may be broken anywhere
_TONES = {State.OK: "safe", State.DELETED: "soft", State.UNNAMED: "soft", State.INCOMPLETE: "wait"}


def page(matrix: Matrix, *, now: datetime) -> str:
    """The same bytes for the same matrix and time."""
    environment = Environment(
        loader=PackageLoader("stanch.responder.lifecycle.inventory.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    counted = states(matrix.rows)
    return environment.get_template("matrix.html.j2").render(
        now=now,
        count=matrix.count,
        states=[(state, count, _TONES.get(state, "alarm")) for state, count in counted],
        ages=ages(matrix.rows, now),
        owners=owners(matrix.rows),
        gaps=matrix.gaps,
        columns=[(name.replace("_", " "), "" if name in _LONG else "short") for name in _SHOWN],
        rows=[
            (_TONES.get(row.state, "alarm"), [COLUMNS[name](row) for name in _SHOWN])
            for row in matrix.rows
        ],
    )

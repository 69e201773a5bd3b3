"""All rows, and what could not be listed: a list that is not complete says so."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from stanch.responder.lifecycle.inventory.row import Row, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A store that did not list all it has."""

    source: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The rows, worst first."""

    rows: tuple[Row, ...]
    gaps: tuple[Gap, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether every store has listed everything."""
        return not self.gaps

    @property
    def count(self) -> str:
        """How many rows there are, in words."""
        return "1 secret" if len(self.rows) == 1 else f"{len(self.rows)} secrets"

    def counts(self) -> Counter[State]:
        """How many rows stand how."""
        return Counter(row.state for row in self.rows)

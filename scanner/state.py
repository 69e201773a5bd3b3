"""Where scans keep what they have seen of a history."""

from __future__ import annotations

from pathlib import Path

from stanch.scanner.model.record import Record


class State(Record):
    """The folder of the states, and what else findings depend on (a baseline's text, say)."""

    folder: Path
    basis: bytes = b""

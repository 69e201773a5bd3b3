"""Where scans keep what they have seen of a history."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """The folder of the states, and what else findings depend on (a baseline's text, say)."""

    folder: Path
    basis: bytes = b""

"""What a phase came to, as data: shown as a table, written to the record, read on the next run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from stanch.responder.domain.json import JsonObject


class Phase(StrEnum):
    """The phases, in their order."""

    PLAN = "plan"
    WRITE = "write"
    VALIDATE = "validate"
    CONSISTENCY = "consistency"
    CHECK = "check"
    PERFORMANCE = "performance"
    GUARD = "guard"


class State(StrEnum):
    """How a phase ended."""

    DONE = "done"
    SKIPPED = "skipped"  # not asked for: nothing is known
    FAILED = "failed"
    INCOMPLETE = "incomplete"  # something did not answer, or cannot be read


EXIT = {State.DONE: 0, State.SKIPPED: 0, State.FAILED: 1, State.INCOMPLETE: 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One variable or file. ``fingerprint`` is keyed; nothing here is a value."""

    name: str
    said: str
    reference: str = ""
    place: str = ""
    detail: str = ""
    fingerprint: str = ""
    version: str = ""
    bad: bool = False

    @property
    def words(self) -> JsonObject:
        """As JSON."""
        return {
            key: getattr(self, key)
            for key in ("name", "said", "reference", "place", "detail", "fingerprint", "version")
            if getattr(self, key)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """A phase. ``before``: when an earlier run came to this, and this one did not repeat it."""

    phase: Phase
    state: State
    summary: str
    lines: tuple[Line, ...] = ()
    measured: Mapping[str, float] | None = None
    before: str = ""

    @property
    def words(self) -> JsonObject:
        """As JSON."""
        return {
            "phase": str(self.phase),
            "state": str(self.state),
            "summary": self.summary,
            "measured": dict(self.measured) if self.measured else None,
            "before": self.before or None,
            "lines": [line.words for line in self.lines],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What the record has of a migration: its newest results, and every value that was written.

    ``written`` has the keyed fingerprint of each reference.
    """

    results: Mapping[Phase, tuple[str, Result]]  # with the digest of the plan it belongs to
    written: Mapping[str, str]


class Journal(Protocol):
    """Where results are kept, so that a run that was killed goes on where it stopped."""

    def kept(self, migration: str) -> Kept:
        """What earlier runs came to."""

    def keep(self, migration: str, digest: str, result: Result) -> None:
        """Write a result down, for good, before the next phase begins."""

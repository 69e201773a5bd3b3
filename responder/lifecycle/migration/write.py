"""Values into the store: only where there is none, unless a person says otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from stanch.responder.lifecycle.migration.plan import Row, Verdict
from stanch.responder.lifecycle.migration.result import Line, Phase, Result, State
from stanch.responder.lifecycle.model.answer import (
    Conflict,
    Denied,
    Present,
    Unreachable,
    Write,
    Written,
)
from stanch.responder.lifecycle.model.backend import Backend
from stanch.responder.lifecycle.model.metadata import PREFIX
from stanch.responder.lifecycle.model.reference import Reference
from stanch.scanner.model.secret import SecretValue


@dataclass(frozen=True, slots=True, kw_only=True)
class Writer:
    """Writes the rows of a plan. ``token`` names the migration: it makes replacing repeatable."""

    store: Backend
    fingerprint: Callable[[SecretValue], str]
    opened: Callable[[Reference, str], None]
    token: str

    def write(self, rows: Iterable[Row]) -> Result:
        """Every row, whatever became of the others: each can be repeated."""
        lines, unknown = [], False
        for row in rows:
            line, open_end = self._one(row)
            lines.append(line)
            unknown = unknown or open_end
        bad = sum(line.bad for line in lines)
        state = State.INCOMPLETE if unknown else State.FAILED if bad else State.DONE
        there = len(lines) - bad
        summary = f"{there} of {len(lines)} values are in {self.store.name}"
        return Result(phase=Phase.WRITE, state=state, summary=summary, lines=tuple(lines))

    def _one(self, row: Row) -> tuple[Line, bool]:
        reference = row.reference
        assert reference is not None  # noqa: S101  # only named rows are moved
        if row.verdict is Verdict.PRESENT:
            return _line(row, "present", version=row.version), False
        answer = (
            self._replace(reference, row)
            if row.verdict is Verdict.REPLACE
            else self.store.create(
                reference, row.value, {PREFIX + key: text for key, text in row.tags.items()}
            )
        )
        if isinstance(answer, Written):
            said = "replaced" if row.verdict is Verdict.REPLACE else "created"
            return _line(row, said, version=answer.version), False
        # An answer that was lost, or a run beside us: what counts is what is there now.
        found = self.store.read(reference)
        if isinstance(found, Present):
            self.opened(reference, found.version)
            if self.fingerprint(found.value) == row.fingerprint:
                return _line(row, "present", version=found.version), False
        why = answer.why + (f": {answer.remedy}" if isinstance(answer, Denied) else "")
        said = "conflict" if isinstance(answer, Conflict) else "not written"
        return _line(row, said, detail=why, bad=True), isinstance(answer, Unreachable)

    def _replace(self, reference: Reference, row: Row) -> Write:
        """Put it as pending, then compare and set: who was faster than us is not overwritten."""
        token = f"{self.token}:{row.fingerprint}"
        pending = self.store.put_pending(reference, row.value, token=token)
        if not isinstance(pending, Written):
            return pending
        return self.store.promote(reference, pending=pending.version, current=row.version)


def _line(row: Row, said: str, *, version: str = "", detail: str = "", bad: bool = False) -> Line:
    return Line(
        name=row.variable.name,
        said=said,
        reference=str(row.reference),
        detail=detail,
        fingerprint="" if bad else row.fingerprint,
        version=version,
        bad=bad,
    )

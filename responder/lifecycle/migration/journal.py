"""Results of migrations in the tamper-evident record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from stanch.responder.domain.ports import Store
from stanch.responder.domain.timeline import Event
from stanch.responder.lifecycle.migration.result import Kept, Line, Phase, Result, State

_EVER = datetime(2000, 1, 1, tzinfo=UTC)


def action(phase: Phase) -> str:
    """As the record names it."""
    return f"migration.{phase}"


class LedgerJournal:
    """The port over the ledger: what is not on the record is done again."""

    def __init__(self, store: Store, *, actor: str, clock: Callable[[], datetime]) -> None:
        self._store = store
        self._actor = actor
        self._clock = clock

    def kept(self, migration: str) -> Kept:
        """The newest result of each phase."""
        results: dict[Phase, tuple[str, Result]] = {}
        written: dict[str, str] = {}
        with self._store.snapshot() as tx:
            for phase in Phase:
                for event in tx.ledger.since(action(phase), _EVER):
                    if event.detail.get("migration") != migration:
                        continue
                    result = _result(phase, event)
                    results[phase] = (str(event.detail.get("digest")), result)
                    if phase is Phase.WRITE:
                        written |= {
                            line.reference: line.fingerprint
                            for line in result.lines
                            if line.fingerprint  # what was not written has none
                        }
        return Kept(results=results, written=written)

    def keep(self, migration: str, digest: str, result: Result) -> None:
        """One entry, committed before this returns."""
        with self._store.transaction() as tx:
            tx.ledger.append(
                Event(
                    at=self._clock(),
                    actor=self._actor,
                    action=action(result.phase),
                    incident=None,
                    detail={"migration": migration, "digest": digest, **result.words},
                )
            )


def _result(phase: Phase, event: Event) -> Result:
    detail: dict[str, Any] = dict(event.detail)
    return Result(
        phase=phase,
        state=State(detail["state"]),
        summary=str(detail["summary"]),
        lines=tuple(Line(**line) for line in detail["lines"]),
        measured=detail["measured"],
        before=event.at.isoformat(timespec="seconds"),
    )

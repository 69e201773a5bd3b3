"""Open runs: can what is installed now follow their runbooks to the end?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import closing
from datetime import UTC, datetime

from stanch.responder.bootstrap import ledger_seal
from stanch.responder.config import Settings
from stanch.responder.domain.check import Check, State
from stanch.responder.domain.error import RunbookError
from stanch.responder.domain.ids import label
from stanch.responder.domain.run import Run
from stanch.responder.domain.runbook import Runbook
from stanch.responder.engine.pin import pinned, replay
from stanch.responder.providers.registry import SPECS
from stanch.responder.store.database import connect
from stanch.responder.store.sql import SqlStore


def runs(settings: Settings, books: Mapping[str, Runbook]) -> Iterator[Check]:
    """Each run that cannot be followed, or how many can; for a store with our schema and keys."""
    database, seal = connect(settings.store_url()), ledger_seal(settings)
    store = SqlStore(database, seal=seal, clock=lambda: datetime.now(UTC))
    with closing(store), store.snapshot() as tx:
        found = tx.runs.open()
    wrong = [check for run in found for check in _stuck(run, books)]
    yield from wrong
    if found and not wrong:
        yield Check(State.GOOD, "runs", f"{len(found)} open; their runbooks can be followed")


def _stuck(run: Run, books: Mapping[str, Runbook]) -> Iterator[Check]:
    which = label(run.incident)
    try:
        problems = replay(pinned(run, books), SPECS)
    except RunbookError as error:
        yield Check(State.WRONG, "runs", f"{which}: {error}", error.remedy)
        return
    if problems:
        yield Check(
            State.WRONG,
            "runs",
            f"{which} follows {run.runbook} v{run.runbook_version}: {'; '.join(problems)}",
            f"install the stanch that began it, or `stanch cancel {which}` and respond again",
        )
